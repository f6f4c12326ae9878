from __future__ import annotations

import pytest
from framebus.errors import UsageError

from capture_daemon.settings.spec import parse as spec
from capture_daemon.sources.rpicam.arguments import parse


def test_options_about_the_picture_are_passed_on_each_with_its_value() -> None:
    assert parse("--camera 1 --hflip --roi=0.25,0.25,0.5,0.5 --ev -0.5") == (
        *("--camera=1", "--hflip", "--roi=0.25,0.25,0.5,0.5", "--ev=-0.5"),
    )
    assert parse("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "--output /etc/passwd",
        "-o x",
        "--config=/tmp/x",
        "--post-process-file x.json",
        "--encoder-libs=/tmp",
        "--tuning-file=x",
        "--metadata x",
        "--save-pts x",
        "--listen",
        "--timeout 5",
        "--width 640",
        "--codec h264",
        "picture.jpg",
        "--",
        "--hflip=1",
    ],
)
def test_any_other_option_is_refused_and_the_allowed_ones_are_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"--camera.*--size and --fps are framebus's own"):
        parse(text)


@pytest.mark.parametrize("text", ["--camera", "--camera ../x", "--camera=", "--ev '1 2'"])
def test_a_value_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="needs a value"):
        parse(text)


def test_an_open_quote_is_refused() -> None:
    with pytest.raises(UsageError, match="quoted as in a shell"):
        parse("--camera '1")


@pytest.mark.parametrize("text", ["rpicam", "rpicam:", " rpicam: "])
def test_a_camera_without_options_needs_no_colon(text: str) -> None:
    assert spec(text).text == "rpicam"
    assert spec(text).kind == "rpicam"


def test_a_specification_shows_its_options_to_everybody() -> None:
    parsed = spec("rpicam: --camera  1 --vflip")
    assert parsed.text == parsed.public == "rpicam:--camera=1 --vflip"
    assert not parsed.secrets
