"""The sources that run on any machine, as cases of the source contract."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from capture_daemon.settings.spec import build, parse
from capture_daemon.sources.base import Interrupt, Request, Source
from tests.fakes import rpicam_vid
from tests.fakes.mjpeg_server import MULTIPART, Visit, part, serving
from tests.samples.pictures import jpeg

MakeSource = Callable[[Path, Interrupt], AbstractContextManager[Source]]
"""Given an empty directory: brings up what the source reads from and yields it, closed."""


@dataclass(frozen=True)
class SourceCase:
    """One implementation. Add a case to a list of them to hold it to the contract."""

    name: str
    good: MakeSource
    """Gives frames, at least 5 a second, until closed."""
    bad: MakeSource
    """Cannot be opened."""
    quiet: MakeSource | None = None
    """Opens, gives one frame, and then none for 10 s; None: it cannot be made to."""
    children: bool = False
    """Has child processes while it is open."""


def from_text(text: str, request: Request | None = None) -> MakeSource:
    """A source that needs nothing but its text; "{}" in it stands for the empty directory."""

    @contextmanager
    def make(directory: Path, interrupt: Interrupt) -> Iterator[Source]:
        yield build(parse(text.format(directory)), request or Request(), interrupt)

    return make


def from_files(text: str, write: Callable[[Path], None], request: Request) -> MakeSource:
    """A source that reads what `write` puts into the directory first."""

    @contextmanager
    def make(directory: Path, interrupt: Interrupt) -> Iterator[Source]:
        write(directory)
        yield build(parse(text.format(directory)), request, interrupt)

    return make


def from_server(script: Callable[[Visit], None], request: Request | None = None) -> MakeSource:
    @contextmanager
    def make(directory: Path, interrupt: Interrupt) -> Iterator[Source]:
        with serving(script) as server:
            yield build(parse(server.url()), request or Request(), interrupt)

    return make


def from_rpicam(request: Request, fault: str = "") -> MakeSource:
    """A source whose program is a stand-in."""

    @contextmanager
    def make(directory: Path, interrupt: Interrupt) -> Iterator[Source]:
        rpicam_vid.put(directory)
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("PATH", f"{directory}:{os.environ['PATH']}")
            patched.setenv("RPICAM_FAULT", fault)
            yield build(parse("rpicam"), request, interrupt)

    return make


def _write_mjpeg(directory: Path) -> None:
    (directory / "clip.mjpeg").write_bytes(b"".join(jpeg(number) for number in range(4)))


def _write_pictures(directory: Path) -> None:
    for number in range(4):
        (directory / f"{number:03}.JPG").write_bytes(jpeg(number))
    (directory / "notes.txt").write_text("not a picture")


def _write_avi(directory: Path) -> None:
    (directory / "clip.avi").write_bytes(_clip("avi", "mjpeg"))


def _write_mp4(directory: Path) -> None:
    (directory / "clip.mp4").write_bytes(_clip("mp4", "libx264"))


@cache
def _clip(container: str, codec: str) -> bytes:
    """A second of video, made by ffmpeg, once."""
    made = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=20", "-t", "1", "-c:v", codec)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"clip.{container}")
        subprocess.run(["ffmpeg", "-v", "error", *made, str(path)], check=True, timeout=30)
        return path.read_bytes()


def _stream(visit: Visit) -> None:
    visit.send(MULTIPART)
    number = 0
    while not visit.stopping.wait(0.02):
        visit.send(part(jpeg(number % 4)))
        number += 1


def _one_frame(visit: Visit) -> None:
    visit.send(MULTIPART, part(jpeg()))
    visit.linger()


def _snapshots(visit: Visit) -> None:
    request = visit.request
    while request:
        picture = jpeg(len(visit.server.requests) % 4)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
        visit.send(f"{head}\r\n\r\n".encode() + picture)
        request = visit.again()


def _web_page(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")


SLOW = Request(fps=0.05)
FAST = Request(fps=50)

CASES = (
    SourceCase(
        "test",
        good=from_text("test", Request(160, 120, 50)),
        quiet=from_text("test", SLOW),
        bad=from_text("test", Request(width=1)),
    ),
    SourceCase(
        "file-mjpeg",
        good=from_files("file:{}/clip.mjpeg", _write_mjpeg, FAST),
        quiet=from_files("file:{}/clip.mjpeg", _write_mjpeg, SLOW),
        bad=from_text("file:{}/absent.mjpeg"),
    ),
    SourceCase(
        "file-avi",
        good=from_files("file:{}/clip.avi", _write_avi, Request()),
        quiet=from_files("file:{}/clip.avi", _write_avi, SLOW),
        bad=from_files("file:{}/clip.mp4", _write_mp4, Request()),
    ),
    SourceCase(
        "file-directory",
        good=from_files("file:{}", _write_pictures, FAST),
        quiet=from_files("file:{}", _write_pictures, SLOW),
        bad=from_text("file:{}"),
    ),
    SourceCase(
        "ffmpeg",
        good=from_files("ffmpeg:{}/clip.mp4", _write_mp4, Request()),
        quiet=from_text("ffmpeg:-re -f lavfi -i testsrc2=size=64x48:rate=1/20"),
        bad=from_text("ffmpeg:{}/absent.mp4"),
        children=True,
    ),
    SourceCase(
        "rpicam",
        good=from_rpicam(Request(64, 48, 50)),
        quiet=from_rpicam(SLOW),
        bad=from_rpicam(Request(), "absent"),
        children=True,
    ),
    SourceCase(
        "http",
        good=from_server(_stream),
        quiet=from_server(_one_frame),
        bad=from_server(_web_page),
    ),
    SourceCase(
        "http-snapshots",
        good=from_server(_snapshots, FAST),
        quiet=from_server(_snapshots, SLOW),
        bad=from_server(_web_page),
    ),
)
