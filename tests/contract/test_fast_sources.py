"""Sources whose usual frames take the fast path, with it and without: one suite."""

from __future__ import annotations

import itertools
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from framebus.frame import Frame

from capture_daemon.native import library
from capture_daemon.sources.base import Captured, Interrupt, PassesFrames, Request, Source
from capture_daemon.sources.file.source import FileSource
from capture_daemon.sources.pattern.source import PatternSource
from capture_daemon.sources.pictures import jpeg
from capture_daemon.sources.rpicam.source import RpicamSource
from tests.helpers.waiting import until
from tests.rigs.frame_path import FramePath
from tests.samples.small_jpeg import WHOLE

PICTURES = [WHOLE[:-2] + b"%6d" % number + WHOLE[-2:] for number in range(12)]
WRITES = """#!{python}
import json, os, sys, time
for piece in json.load(open({pieces!r})):
    os.write(1, bytes.fromhex(piece))
    time.sleep(0.03)
time.sleep(60)
"""
"""A program that writes the given pieces, one after another."""


class Stage:
    """A source and the way into a ring; `returned` counts what Python was given to publish."""

    def __init__(self, runtime: Path, interrupt: Interrupt, source: Source, *, fast: bool) -> None:
        tested = Path(os.environ.get("FAST_PATH_TESTED", library.PATH))
        self.path = FramePath(runtime, library.load(tested) if fast else None)
        self.publisher = self.path.publishers[0]
        self.source = source
        self.interrupt = interrupt
        self.returned = 0
        self.publisher.begin(source.open())
        for _ in range(3):
            until(self.read)
        self.publisher.settled()
        self.returned = 0

    def read(self, timeout_s: float = 0.2) -> bool:
        """Read once, and publish what is returned; tell whether anything was."""
        fast_path = self.publisher.fast_path
        captured: Captured | None
        if fast_path is not None and isinstance(self.source, PassesFrames):
            captured = self.source.read_unusual(fast_path, timeout_s)
        else:
            captured = self.source.read(timeout_s)
        if captured is None:
            return False
        self.returned += 1
        self.publisher.take(captured)
        return True

    def until_published(self, count: int) -> list[bytes]:
        """Read until so many frames are in the ring; return these."""
        self.until_shown(count)
        return self.published()[:count]

    def published(self) -> list[bytes]:
        return [frame.jpeg for frame in self.newest(self.path.reader.cursor)]

    def newest(self, count: int) -> list[Frame]:
        """The last so many frames."""
        ring = self.path.reader
        return [ring.read(number) for number in range(ring.cursor - count + 1, ring.cursor + 1)]

    def until_shown(self, count: int) -> None:
        """Read until so many frames were published."""

        def enough() -> bool:
            self.read()
            return self.path.reader.cursor >= count

        until(enough)

    def close(self) -> None:
        self.source.close()
        self.path.close()


Open = Callable[[Source], Stage]


@pytest.fixture(params=[True, False], ids=["fast", "slow"])
def fast(request: pytest.FixtureRequest) -> bool:
    chosen: bool = request.param
    return chosen


@pytest.fixture
def stage(runtime: Path, interrupt: Interrupt, fast: bool) -> Iterator[Open]:
    opened: list[Stage] = []

    def begin(source: Source) -> Stage:
        opened.append(Stage(runtime, interrupt, source, fast=fast))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


@pytest.fixture
def program(
    tmp_path: Path, interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> Callable[[list[bytes]], Source]:
    """A source that reads these pieces from a program."""

    def make(pieces: list[bytes]) -> Source:
        written = tmp_path / "pieces.json"
        written.write_text(json.dumps([piece.hex() for piece in pieces]))
        file = tmp_path / "rpicam-vid"
        file.write_text(WRITES.format(python=sys.executable, pieces=str(written)))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return RpicamSource("", Request(), interrupt)

    return make


def recording(folder: Path, *frames: bytes) -> Path:
    """Write a recording that nobody has touched for a minute."""
    file = folder / "clip"
    file.write_bytes(b"".join(frames))
    os.utime(file, (time.time() - 60,) * 2)
    return file


@pytest.mark.timeout(120)
def test_a_recording_plays_in_order_again_and_again(
    stage: Open, tmp_path: Path, interrupt: Interrupt, fast: bool
) -> None:
    played = stage(FileSource(str(recording(tmp_path, *PICTURES)), Request(fps=500), interrupt))
    assert played.until_published(60) == PICTURES * 5
    sequences = [frame.device_sequence for frame in played.newest(played.path.reader.cursor)]
    assert sequences == list(range(1, len(sequences) + 1))
    assert (played.returned < 25) is fast


def test_a_recording_that_changes_under_its_index_shows_no_piece_of_a_picture(
    stage: Open, tmp_path: Path, interrupt: Interrupt
) -> None:
    file = recording(tmp_path, *PICTURES)
    played = stage(FileSource(str(file), Request(fps=500), interrupt))
    played.until_published(30)
    before = file.stat()
    others = [WHOLE[:-2] + b"%9d" % number + WHOLE[-2:] for number in range(11)]
    size = before.st_size
    file.write_bytes(b"".join(others)[:size].ljust(size, b"\0"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    until(lambda: played.read() and played.published()[-1] in others)
    assert set(played.published()) <= {*PICTURES, *others}


def test_a_recording_that_gets_shorter_loses_what_is_gone_and_plays_on(
    stage: Open, tmp_path: Path, interrupt: Interrupt
) -> None:
    file = recording(tmp_path, *PICTURES)
    played = stage(FileSource(str(file), Request(fps=500), interrupt))
    played.until_published(30)
    os.truncate(file, len(PICTURES[0]) * 2)
    seen = len(played.published())
    played.until_published(seen + 20)
    assert set(played.published()[-4:]) == set(PICTURES[:2])


def test_the_test_patterns_frames_are_whole_and_numbered_by_their_ticks(
    stage: Open, interrupt: Interrupt, fast: bool
) -> None:
    shown = stage(PatternSource(Request(160, 128, 50), interrupt))
    began = time.monotonic()
    shown.until_shown(130)
    frames = shown.newest(8)
    pictures = [frame.jpeg for frame in frames]
    assert all(jpeg.examine(picture, thorough=True).reason is None for picture in pictures)
    assert all(jpeg.size(picture) == (160, 128) for picture in pictures)
    assert all(one != other for one, other in itertools.pairwise(pictures))
    sequences = [frame.device_sequence for frame in frames]
    assert sequences == sorted(set(sequences))
    assert sequences[-1] <= (time.monotonic() - began + 30) * 50
    assert (shown.returned < 60) is fast


@pytest.mark.parametrize(
    "pieces",
    [
        PICTURES,
        [*PICTURES[:5], PICTURES[5][:40], PICTURES[5][40:], *PICTURES[6:]],
        [*PICTURES[:5], PICTURES[5] + PICTURES[6], *PICTURES[7:]],
        [*PICTURES[:5], PICTURES[5] + PICTURES[6][:30], PICTURES[6][30:], *PICTURES[7:]],
        [*PICTURES[:5], b"no picture", *PICTURES[5:]],
        [*PICTURES[:5], b"\0" * 9 + PICTURES[5] + b"\0" * 9, *PICTURES[6:]],
        [*PICTURES[:5], PICTURES[5][:-2] + PICTURES[5], *PICTURES[6:]],
        [*PICTURES[:5], PICTURES[5][:8], PICTURES[5][8:], *PICTURES[6:]],
        [*PICTURES[:5], PICTURES[5][:-1], PICTURES[5][-1:], *PICTURES[6:]],
    ],
)
def test_whatever_a_program_writes_each_whole_picture_of_it_is_published_once(
    stage: Open, program: Callable[[list[bytes]], Source], pieces: list[bytes], fast: bool
) -> None:
    reader = stage(program(pieces))
    assert reader.until_published(12) == PICTURES
    assert reader.path.reader.cursor == 12
    assert (reader.returned < 7) is fast


def test_an_interrupt_ends_each_wait(
    stage: Open,
    program: Callable[[list[bytes]], Source],
    tmp_path: Path,
    interrupt: Interrupt,
) -> None:
    for source in (
        FileSource(str(recording(tmp_path, *PICTURES)), Request(fps=100), interrupt),
        program(PICTURES),
        PatternSource(Request(160, 128, 100), interrupt),
    ):
        stage_of_it = stage(source)
        stage_of_it.until_published(6)
        interrupt.set()
        began = time.monotonic()
        assert not stage_of_it.read(50.0)
        assert time.monotonic() - began < 40
        interrupt.clear()
        stage_of_it.close()
