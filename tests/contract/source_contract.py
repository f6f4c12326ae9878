"""What every source promises (capture_daemon.sources.base), as tests over any of them.

class TestMine(SourceContract):
    @pytest.fixture(params=CASES, ids=lambda case: case.name)
    def case(self, request): return request.param
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from capture_daemon.sources.base import Captured, Interrupt, Source, SourceError
from capture_daemon.sources.pictures import jpeg
from tests.contract.source_cases import SourceCase
from tests.helpers.processes import children
from tests.helpers.waiting import until
from tests.samples.pictures import decode

PATIENCE_S = 30.0
"""A read that takes longer has failed; none is expected to take a tenth of it."""


@dataclass(frozen=True)
class Belongings:
    """What a process has that a source might leave behind."""

    descriptors: frozenset[str]
    threads: frozenset[str]
    children: frozenset[int]

    @classmethod
    def now(cls) -> Belongings:
        return cls(
            frozenset(_links(Path("/proc/self/fd"))),
            frozenset(thread.name for thread in threading.enumerate()),
            frozenset(children(os.getpid())),
        )


def _links(folder: Path) -> Iterator[str]:
    for number in os.listdir(folder):
        try:
            yield f"{number} {os.readlink(folder / number)}"
        except FileNotFoundError:  # the one that listed the folder
            continue


@dataclass(frozen=True)
class Copied:
    """A frame, kept beyond its source's next call."""

    data: bytes
    captured: Captured
    returned_ns: int


def take(source: Source, count: int) -> list[Copied]:
    """Read `count` frames, within PATIENCE_S each."""
    frames: list[Copied] = []
    for _ in range(count):
        captured = source.read(PATIENCE_S)
        assert captured is not None, f"no frame within {PATIENCE_S} s"
        frames.append(Copied(bytes(captured.data), captured, time.monotonic_ns()))
    return frames


class SourceContract:
    """Subclass it with a fixture `case`."""

    @pytest.fixture
    def good(self, case: SourceCase, tmp_path: Path, interrupt: Interrupt) -> Iterator[Source]:
        with case.good(tmp_path, interrupt) as source:
            yield source
            source.close()

    @pytest.fixture
    def quiet(self, case: SourceCase, tmp_path: Path, interrupt: Interrupt) -> Iterator[Source]:
        if case.quiet is None:
            pytest.skip("it cannot be made to fall silent from here")
        with case.quiet(tmp_path, interrupt) as source:
            source.open()
            take(source, 1)
            yield source
            source.close()

    def test_open_says_what_it_granted(self, good: Source) -> None:
        granted = good.open()
        assert len(granted.fourcc) == 4
        assert granted.device
        frame = take(good, 1)[0]
        told = (granted.width, granted.height)
        assert told in ((0, 0), decode(jpeg.with_huffman_tables(frame.data)))
        assert granted.fps >= 0

    def test_frames_are_whole_jpegs_that_decode(self, good: Source) -> None:
        good.open()
        for frame in take(good, 5):
            assert jpeg.examine(frame.data).reason is None
            assert not frame.captured.faulty
            size = decode(jpeg.with_huffman_tables(frame.data))
            assert (frame.captured.width, frame.captured.height) in ((0, 0), size)

    def test_device_sequence_increases(self, good: Source) -> None:
        good.open()
        numbers = [frame.captured.device_sequence for frame in take(good, 8)]
        assert numbers == sorted(set(numbers))

    def test_capture_times_never_go_back_nor_lie_in_the_future(self, good: Source) -> None:
        good.open()
        frames = take(good, 8)
        times = [frame.captured.captured_ns for frame in frames]
        assert times == sorted(times)
        assert all(frame.captured.captured_ns <= frame.returned_ns for frame in frames)
        assert times[-1] > time.monotonic_ns() - int(PATIENCE_S * 1e9)

    def test_read_without_a_frame_returns_none_after_its_timeout(self, quiet: Source) -> None:
        begun = time.monotonic()
        assert quiet.read(0.2) is None
        assert 0.19 <= time.monotonic() - begun < PATIENCE_S

    def test_interrupt_wakes_a_read_that_waits(self, quiet: Source, interrupt: Interrupt) -> None:
        timer = threading.Timer(0.1, interrupt.set)
        timer.start()
        begun = time.monotonic()
        assert quiet.read(60.0) is None
        assert time.monotonic() - begun < PATIENCE_S
        timer.join()

    def test_reading_goes_on_after_an_interrupt(self, good: Source, interrupt: Interrupt) -> None:
        good.open()
        before = take(good, 1)[0]
        interrupt.set()
        until(lambda: good.read(0.01) is None, what="an interrupted read without a frame")
        interrupt.clear()
        after = take(good, 1)[0]
        assert after.captured.device_sequence > before.captured.device_sequence

    def test_open_while_interrupted_ends_soon_and_leaves_nothing(
        self, good: Source, interrupt: Interrupt
    ) -> None:
        before = Belongings.now()
        interrupt.set()
        begun = time.monotonic()
        with suppress(SourceError):
            good.open()
        assert time.monotonic() - begun < PATIENCE_S
        good.close()
        until(lambda: Belongings.now() == before, what="everything released")

    def test_close_before_open_and_close_twice_are_harmless(self, good: Source) -> None:
        good.close()
        good.open()
        take(good, 1)
        good.close()
        good.close()

    def test_read_of_a_closed_source_is_a_source_error(self, good: Source) -> None:
        with pytest.raises(SourceError):
            good.read(0.1)
        good.open()
        good.close()
        with pytest.raises(SourceError):
            good.read(0.1)

    def test_close_releases_descriptors_threads_and_children(
        self, case: SourceCase, good: Source
    ) -> None:
        before = Belongings.now()
        for _ in range(3):
            good.open()
            take(good, 2)
            assert (Belongings.now().children != before.children) == case.children
            good.close()
        until(lambda: Belongings.now() == before, what="everything released")

    def test_open_of_an_open_source_starts_anew_and_leaks_nothing(self, good: Source) -> None:
        before = Belongings.now()
        good.open()
        take(good, 1)
        good.open()
        take(good, 2)
        good.close()
        until(lambda: Belongings.now() == before, what="everything released")

    def test_it_can_be_opened_again(self, good: Source) -> None:
        for _ in range(3):
            good.open()
            assert take(good, 2)
            good.close()

    def test_bad_input_is_a_source_error_with_a_remedy_and_leaves_nothing(
        self, case: SourceCase, tmp_path: Path, interrupt: Interrupt
    ) -> None:
        with case.bad(tmp_path, interrupt) as source:
            before = Belongings.now()
            with pytest.raises(SourceError) as failure:
                source.open()
            assert failure.value.code
            assert failure.value.message
            assert failure.value.remedy
            until(lambda: Belongings.now() == before, what="everything released")
            source.close()
