"""The configuration file and the precedence of flag, environment, file and default."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from framebus.errors import NoPermission, UsageError
from framebus.options import file as config
from framebus.options.chosen import Chosen
from framebus.options.table import END_HOLDER, LOG_LEVEL, POWER_PORTS, RING_SIZE
from framebus.spelling import closest
from framebus.units import byte_count, byte_count_text, frame_rate, frame_size
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon import command
from capture_daemon.settings.options import Settings, settings

FILE = """
log_level = "warning"
size = "640x480"
bind = "127.0.0.1:9000"
[camera.front]
source = "test"
size = "320x240"
fps = 12.5
ring_size = "8M"
[camera.back]
source = "file:/tmp/x.mjpeg"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "framebus.toml"
    path.write_text(FILE)
    return path


def test_a_cameras_table_wins_over_what_holds_for_all(file: Path) -> None:
    front = settings(Chosen.of({"config": str(file), "name": "front"}))
    assert (front.request.format.width, front.request.format.fps) == (320, 12.5)
    assert (front.options[RING_SIZE], front.options[LOG_LEVEL]) == (8 << 20, "warning")
    back = settings(Chosen.of({"config": str(file), "name": "back"}))
    assert (back.request.format.width, back.request.spec.kind) == (640, "file")


def test_a_flag_wins_over_the_file_and_the_file_over_the_default(file: Path) -> None:
    found = settings(Chosen.of({"config": str(file), "name": "front", "size": "100x100"}))
    assert (found.request.format.width, found.request.format.fps) == (100, 12.5)
    assert settings(Chosen.of({})).request.spec.text == "auto"


def test_a_flag_wins_over_its_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Settings] = []

    def resolve(chosen: Chosen) -> Settings:
        seen.append(settings(chosen))
        raise UsageError("far enough")

    monkeypatch.setattr(command, "prepared", resolve)
    environ = {"FRAMEBUS_NAME": "one", "FRAMEBUS_FPS": "7", "FRAMEBUS_SOURCE": "test"}
    CliRunner(env=environ).invoke(command.capture, ["--name", "two"])
    assert seen[0].name == "two"
    assert seen[0].request.format.fps == 7


def test_a_file_with_several_cameras_must_be_told_which(file: Path) -> None:
    with pytest.raises(UsageError, match="--name"):
        settings(Chosen.of({"config": str(file)}))
    assert config.load(file).cameras == ("front", "back")


def test_a_camera_that_the_file_does_not_have_needs_a_source_of_its_own(
    file: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no camera 'frnt': did you mean 'front'"):
        settings(Chosen.of({"config": str(file), "name": "frnt"}))
    extra = settings(Chosen.of({"config": str(file), "name": "extra", "source": "test"}))
    assert (extra.name, extra.request.format.width) == ("extra", 640)
    for text in ("fps = 5", "name = 'front'", "source = 'test'\n[camera.front]"):
        (tmp_path / "other.toml").write_text(text)
        given = {"config": str(tmp_path / "other.toml"), "name": "frnt"}
        assert settings(Chosen.of(given)).name == "frnt"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sise = 1", "did you mean 'size'"),
        ("[camera.front]\nbind = ':80'", r"\[camera.front\]: 'bind' .* above the first table"),
        ("[camera.front]\nbint = 1", r"\[camera.front\]: unknown key 'bint'"),
        ("[cameras.front]\nfps = 1", r"\[cameras.front\]: .* table is \[camera.front\], without s"),
        ("camera = ['front']", r"did you mean cameras = "),
        ("[camera.front]\nname = 'x'", r"\[camera.front\]: 'name' means nothing here: .* front$"),
        ("[camera.front]\nmax_viewer = 1", r"\[camera.front\]: .* 'max_viewers', above the first"),
        (
            "name = 'frnt'\n[camera.front]",
            "'frnt' is none of its cameras: did you mean 'front'",
        ),
        ("cameras = ['a', 1]", "cameras must be a list of texts .*, not a list of something else"),
        ("[front]\nfps = 1", r"table is \[camera.front\]"),
        ("Ring-Size = 1", "did you mean 'ring_size'"),
        ("frozen = 1", "did you mean 'frozen_after'"),
        ("source = ['http://user:s3cret@host/']", "source must be a text .*, not a list of texts$"),
        ("source = {url = 's3cret'}", "source must be a text .*, not a table or a date$"),
        ("[camera.'Front door']", "no camera name"),
        ("fps = '30'", "fps must be a number"),
        ("workers = true", "workers must be a whole number .*, not true or false"),
        ("[camera]\nfps = 3", r"\[camera\]: 'fps' is no camera's table: write \[camera.front\]"),
        ("[camera]\nback = 3", r"\[camera\]: 'back' is no camera's table: write \[camera.back\]"),
        ("camera = 1", r"write \[camera.front\]"),
        ("cameras = ['A B']", "no camera name"),
        ("x = ", "is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_file_and_remedy(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        config.parse(text, "my.toml")
    assert "my.toml" in str(error.value)


def test_no_mistake_in_a_file_shows_its_value() -> None:
    for text in (
        "source = ['s3cret']",
        "source = {a = 's3cret'}",
        "'http://user:s3cret@host/' = 1",
        "['http://user:s3cret@host/']",
    ):
        with pytest.raises(UsageError) as error:
            config.parse(text, "my.toml")
        assert "s3cret" not in str(error.value)


def test_the_closest_word_is_found_by_letters_or_by_its_beginning_alone() -> None:
    words = ("set_controls", "controls", "configure", "stop", "start", "status")
    for typed, meant in (
        ("set-control", "set_controls"),
        ("STATUS", "status"),
        ("conf", "configure"),
        ("statsu", "status"),
        ("telepathy", None),
        ("", None),
        ("x" * 100_000, None),
    ):
        assert closest(typed, words) == meant


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\0")
    for name, reason in (
        ("absent.toml", "absent.toml: No such file or directory; name a TOML file with --config"),
        (".", "Is a directory; name a TOML file with --config"),
        ("binary.toml", "binary.toml: it is not UTF-8; name a TOML file with --config"),
    ):
        with pytest.raises(UsageError, match=reason):
            config.load(tmp_path / name)
    with pytest.raises(UsageError, match="/dev/zero has over"):
        config.load(Path("/dev/zero"))

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(NoPermission, match=r"binary\.toml: let user id"):
        config.load(tmp_path / "binary.toml")


@pytest.mark.parametrize(
    "flags",
    [
        {"name": "../x"},
        {"source": "telepathy"},
        {"fallback_source": "telepathy"},
        {"fallback_source": "auto"},
        {"source": "test", "fallback_source": "test"},
        {"source": "v4l2:/dev/video0", "fallback_source": "v4l2: /dev/video0"},
    ],
)
def test_a_bad_option_is_refused(flags: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        settings(Chosen.of(flags))


def test_sizes_are_read_as_people_write_them() -> None:
    assert frame_size("1280x720") == (1280, 720)
    assert [byte_count(text) for text in ("4096", "64M", "64 MiB", "1g")] == [
        4096,
        64 << 20,
        64 << 20,
        1 << 30,
    ]
    assert frame_rate(29.97) == 29.97


@given(st.integers(0, 1 << 40))
def test_a_size_is_written_so_that_it_is_read_again(count: int) -> None:
    assert byte_count(byte_count_text(count)) == count
    assert byte_count_text(64 << 20) == "64M"


def test_what_the_ladder_may_do_is_a_persons_to_say() -> None:
    file = config.parse('end_holder = true\npower_ports = ["1-1.2", "2-1"]\n', "my.toml")
    for chosen in (Chosen(file=file), Chosen({"end_holder": "true", "power_ports": "1-1.2, 2-1"})):
        assert (chosen[END_HOLDER], chosen[POWER_PORTS]) == (True, ("1-1.2", "2-1"))
    assert (Chosen()[END_HOLDER], Chosen()[POWER_PORTS]) == (False, ())


def test_a_cameras_fallback_may_be_another_than_that_of_all_or_none(tmp_path: Path) -> None:
    path = tmp_path / "framebus.toml"
    text = 'fallback_source = "test"\n[camera.front]\n[camera.back]\nfallback_source = "none"\n'
    path.write_text(text)
    front = settings(Chosen.of({"config": str(path), "name": "front"})).fallback
    assert front is not None
    assert front.kind == "test"
    assert settings(Chosen.of({"config": str(path), "name": "back"})).fallback is None
    assert settings(Chosen.of({})).fallback is None


def test_a_file_with_a_password_that_all_may_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "framebus.toml"
    file.write_text('source = "http://me:hunter2@camera/"\n')
    file.chmod(0o644)
    told = CliRunner().invoke(command.capture, ["--config", str(file), "--check"])
    assert f"chmod o-r {file}" in told.output
    assert "hunter2" not in told.output
    file.chmod(0o640)
    assert (
        "chmod"
        not in CliRunner().invoke(command.capture, ["--config", str(file), "--check"]).output
    )


def test_a_value_of_the_wrong_type_and_a_key_that_is_none_are_not_quoted() -> None:
    for text in ("source = ['http://me:hunter2@camera/']", '"http://me:hunter2@camera/" = 1'):
        with pytest.raises(UsageError) as failure:
            config.parse(text, "x.toml")
        assert "hunter2" not in str(failure.value)
