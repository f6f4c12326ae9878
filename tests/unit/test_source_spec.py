from __future__ import annotations

import re
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from framebus.errors import UsageError

from capture_daemon.settings import spec
from capture_daemon.settings.spec import build, parse
from capture_daemon.sources.base import Granted, Interrupt, Request, SourceUnusable
from capture_daemon.sources.pattern.source import PatternSource

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize(
    ("text", "kind", "argument"),
    [
        ("auto", "auto", ""),
        (" test ", "test", ""),
        ("v4l2:/dev/video0", "v4l2", "/dev/video0"),
        ("v4l2:usb:046d:0825:ABC", "v4l2", "usb:046d:0825:ABC"),
        ("file:/clips/a b.mjpeg", "file", "/clips/a b.mjpeg"),
        ("ffmpeg:-f lavfi -i testsrc", "ffmpeg", "-f lavfi -i testsrc"),
        ("ffmpeg:rtsp://camera/main", "ffmpeg", "rtsp://camera/main"),
        ("http://camera:8080/?action=stream", "http", "http://camera:8080/?action=stream"),
        ("https://[::1]/stream", "http", "https://[::1]/stream"),
    ],
)
def test_each_form_is_understood(text: str, kind: str, argument: str) -> None:
    parsed = parse(text)
    assert (parsed.kind, parsed.argument) == (kind, argument)
    assert parsed.text.startswith(f"{kind}")


@pytest.mark.parametrize("text", ["", "camera", "webcam:0", "TEST", "/dev/video0", "~/a.avi"])
def test_an_unknown_form_names_all_that_are_valid(text: str) -> None:
    with pytest.raises(UsageError) as failure:
        parse(text)
    assert all(form in str(failure.value) for form in spec.FORMS)


def test_readme_has_every_form() -> None:
    table = README.read_text().partition("\n## Where frames come from")[2].partition("\n## ")[0]
    forms = " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    assert {*re.findall(r"`([^`]+)`", forms)} - {"--source"} == {*spec.FORMS}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("/dev/video2", "write v4l2: before"),
        ("./clip.avi", "write file: before"),
        ("rtsp://u:secret@camera/1", "write ffmpeg: before rtsp:"),
        ("htp://u:secret@camera/1", "did you mean http:"),
        ("v4l:/dev/video0", "did you mean v4l2:"),
        ("tset", "did you mean test;"),
    ],
)
def test_a_near_miss_is_answered_with_what_was_meant(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as failure:
        parse(text)
    assert hint in str(failure.value)
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    "text",
    [
        "test:1",
        "auto:x",
        "v4l2:",
        "file: ",
        "ffmpeg:",
        "ffmpeg:-i 'unclosed",
        "http:",
        "http://",
        "http://:80/x",
        "http://host:99999/",
        "http://host:0/",
        "http://[::1/",
        "http://host/a b",
        "http://host/\r\nX: y",
    ],
)
def test_a_wrong_argument_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "public", "known"),
    [
        ("auto", "auto", "auto"),
        ("v4l2:usb:046d:0825:ABC", "v4l2:usb:046d:0825:ABC", "v4l2:usb:046d:0825:ABC"),
        ("v4l2:rtsp://u:secret@h/", "v4l2:…", "v4l2:…"),
        ("file:/clips/a b.mjpeg", "file", "file:/clips/a b.mjpeg"),
        ("file:rtsp://u:secret@h/", "file", "file:…"),
        ("http://u:secret@cam:81/video?k=secret", "http://cam:81", "http://…@cam:81/video?…"),
        ("ffmpeg:rtsp://u:secret@cam/1", "ffmpeg:rtsp://cam", "ffmpeg:rtsp://…@cam/1"),
        ("ffmpeg:/clips/a.mkv", "ffmpeg:file", "ffmpeg:/clips/a.mkv"),
        (
            "ffmpeg:-rtsp_transport tcp -headers 'X-Key: secret' -i rtsp://cam/secret -r 5",
            "ffmpeg:rtsp://cam",
            "ffmpeg:-rtsp_transport tcp -headers … -i rtsp://cam/… -r 5",
        ),
        ("ffmpeg:-f lavfi -i testsrc2", "ffmpeg:generator", "ffmpeg:-f lavfi -i testsrc2"),
        ("ffmpeg:-f v4l2 -i /dev/video0", "ffmpeg:device", "ffmpeg:-f v4l2 -i /dev/video0"),
    ],
)
def test_viewers_see_where_it_comes_from_and_operators_what_is_harmless(
    text: str, public: str, known: str
) -> None:
    parsed = parse(text)
    assert (parsed.public, parsed.text) == (public, known)
    assert "secret" not in repr(parsed)


@pytest.mark.parametrize(
    "path", ["http://u:secret@h/x", "/clips//secret.avi", "./clips/./secret.avi", "~/secret/"]
)
def test_a_path_is_concealed_however_its_failure_spells_it(path: str) -> None:
    parsed = parse(f"file:{path}")
    with closing(Interrupt()) as interrupt:
        source = build(parsed, Request(), interrupt)
        with pytest.raises(SourceUnusable) as failure:
            source.open()
    assert "secret" in failure.value.message
    assert "secret" not in parsed.conceal(failure.value.message)


def test_what_others_quote_of_a_source_is_concealed() -> None:
    parsed = parse("http://admin:se%23cret@cam/live?session=a1b2c3d4")
    said = "GET /live?session=a1b2c3d4 of se#cret, se%23cret: bad value 'a1b2c3d4'"
    assert parsed.conceal(said) == "GET … of …, …: bad value '…'"


def test_the_home_of_a_user_who_is_not_there_is_a_path_as_any_other() -> None:
    interrupt = Interrupt()
    source = build(parse("file:~nobody-of-that-name/a.avi"), Request(), interrupt)
    with pytest.raises(SourceUnusable, match="No such file"):
        source.open()
    interrupt.close()


def test_what_is_granted_names_no_path_and_no_secret() -> None:
    def device(text: str, device: str) -> str:
        return parse(text).conceal_granted(Granted("MJPG", 0, 0, 0.0, device=device)).device

    assert device("file:/clips/a.avi", "/clips/a.avi") == ""
    assert device("http://me:hunter2@cam/", "http://me:hunter2@cam/") == ""
    assert device("v4l2:/dev/video0", "/dev/video0 (HD Webcam)") == "/dev/video0 (HD Webcam)"


class Camera:
    """In place of a V4L2Source: what it was built with."""

    def __init__(self, device: str, request: Request, interrupt: Interrupt, *, named: bool) -> None:
        self.told = (device, named)


@pytest.fixture
def discovery(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """In place of what looks at this machine's cameras."""
    found = ModuleType("discovery")
    monkeypatch.setitem(sys.modules, "capture_daemon.v4l2.discovery", found)
    source = ModuleType("source")
    source.V4L2Source = Camera  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "capture_daemon.v4l2.source", source)
    return found


def built(text: str) -> object:
    interrupt = Interrupt()
    try:
        return build(parse(text), Request(), interrupt)
    finally:
        interrupt.close()


def test_auto_takes_the_camera_that_discovery_chooses_which_nobody_named(
    discovery: ModuleType,
) -> None:
    discovery.choose = lambda: "usb:046d:082d:A"  # type: ignore[attr-defined]
    source = built("auto")
    assert isinstance(source, Camera)
    assert source.told == ("usb:046d:082d:A", False)


def test_auto_without_a_camera_is_the_test_pattern(discovery: ModuleType) -> None:
    discovery.choose = lambda: None  # type: ignore[attr-defined]
    assert type(built("auto")) is PatternSource


def test_a_camera_that_a_person_named_is_known_as_such(discovery: ModuleType) -> None:
    source = built("v4l2:usb:046d:082d:A")
    assert isinstance(source, Camera)
    assert source.told == ("usb:046d:082d:A", True)


def test_the_test_pattern_without_pillow_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "capture_daemon.sources.pattern.testcard", raising=False)
    monkeypatch.setitem(sys.modules, "PIL", None)
    interrupt = Interrupt()
    source = build(parse("test"), Request(), interrupt)
    with pytest.raises(SourceUnusable) as failure:
        source.open()
    interrupt.close()
    assert "framebus doctor" in failure.value.remedy
