"""From a picture to the ring: what is published, what is rejected, and for which reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pytest
from framebus.contract.words import Rejection
from framebus.frame import FrameFlags

from capture_daemon.capturing.counters import FrameCounters
from capture_daemon.capturing.publisher import Publisher
from capture_daemon.capturing.rate_gate import RateGate
from capture_daemon.capturing.switcher import Switcher
from capture_daemon.sources.base import Captured, Granted
from capture_daemon.sources.pictures import jpeg
from capture_daemon.sources.pictures.markers import EndState, find_end
from tests.rigs.announced_ring import AnnouncedRing
from tests.samples.small_jpeg import DHT, EOI, SOF, SOI, SOS, WHOLE, WITHOUT_TABLES

MS = 1_000_000


class Bench:
    """A publisher with everything it needs."""

    def __init__(self, ring: AnnouncedRing) -> None:
        self.ring, self.counters = ring, FrameCounters()
        self.switcher = Switcher(ring=ring.writer, announce=ring.announce)
        self.publisher = Publisher(outlet=self.switcher.camera, counters=self.counters)
        self.publisher.begin(Granted("MJPG", 640, 480, 25.0))

    def rejected(self) -> Mapping[Rejection, int]:
        return self.counters.counts(0).rejected


@pytest.fixture
def bench(announced_ring: AnnouncedRing) -> Bench:
    return Bench(announced_ring)


def test_a_whole_picture_is_published_byte_for_byte_and_announced(bench: Bench) -> None:
    assert bench.publisher.take(Captured(memoryview(WHOLE), 1, 1))
    assert bench.ring.frames == [(WHOLE, 640, 480, FrameFlags.NONE)]


@pytest.mark.parametrize(
    ("captured", "reason"),
    [
        (Captured(WHOLE, 1, 1, faulty=True), "flagged"),
        (Captured(b"", 1, 1), "empty"),
        (Captured(b"not a picture", 1, 1), "no-soi"),
        (Captured(WHOLE[:-2], 1, 1), "no-eoi"),
        (Captured(WHOLE[:-2] + bytes(100) + b"\r\n", 1, 1), "no-eoi"),
        (Captured(SOI + EOI, 1, 1), "bad-header"),
        (Captured(SOI + SOF + DHT + SOS + bytes(20_000) + EOI, 1, 1), "too-large"),
        (Captured(WHOLE, 1, 1, reject="encode-failed"), "encode-failed"),
    ],
)
def test_a_bad_picture_is_counted_by_its_reason_and_not_announced(
    bench: Bench, captured: Captured, reason: str
) -> None:
    assert not bench.publisher.take(captured)
    assert bench.rejected() == {reason: 1}
    assert bench.ring.frames == []


@pytest.mark.parametrize("before", [b"", b"\r\n"])
@pytest.mark.parametrize("after", [b"\r\n", bytes(5000), b"mkr0\x59\x19", b"trailer" * 100])
def test_what_stands_around_a_picture_is_not_published(
    bench: Bench, before: bytes, after: bytes
) -> None:
    data = before + WHOLE + after
    both: tuple[bytes | memoryview, ...] = (data, memoryview(data))
    for number, picture in enumerate(both):
        assert bench.publisher.take(Captured(picture, number, number))
    assert [frame[0] for frame in bench.ring.frames] == [WHOLE, WHOLE]
    assert not bench.rejected()


def test_a_picture_that_is_cut_by_the_next_one_is_not_published(bench: Bench) -> None:
    mixed = WHOLE[:-3] + WHOLE
    for number, data in enumerate((mixed, WHOLE, mixed, WHOLE, mixed + b"\r\n", WHOLE + WHOLE)):
        bench.publisher.take(Captured(data, number, number))
    assert [frame[0] for frame in bench.ring.frames] == [WHOLE] * 3
    assert bench.rejected() == {"no-eoi": 3}


def test_only_a_picture_that_is_longer_than_those_before_is_searched_whole(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[int] = []

    def search(data: memoryview, at: int, *, final: bool) -> tuple[EndState, int]:
        searched.append(len(data))
        return find_end(data, at, final=final)

    monkeypatch.setattr(jpeg, "find_end", search)
    frames = [SOI + SOF + DHT + SOS + b"x" * size + EOI for size in (800, 820, 700, 810, 870, 500)]
    for number, data in enumerate(frames * 3):
        assert bench.publisher.take(Captured(memoryview(data), number, number))
    assert searched == [len(frames[0]), len(frames[4])]
    bench.publisher.begin(Granted("MJPG", 640, 480, 25.0))
    bench.publisher.take(Captured(frames[5], 100, 1))
    assert searched[2:] == [len(frames[5])]


def test_of_two_pictures_in_one_the_first_is_published_each_time(bench: Bench) -> None:
    for number in range(5):
        assert bench.publisher.take(Captured(WHOLE + WHOLE, number, number))
    assert [frame[0] for frame in bench.ring.frames] == [WHOLE] * 5


def test_tables_are_inserted_into_a_picture_that_was_trimmed(bench: Bench) -> None:
    assert bench.publisher.take(Captured(b"\r\n" + WITHOUT_TABLES + b"\r\n", 1, 1))
    data = bench.ring.frames[0][0]
    assert data.startswith(SOI + SOF + b"\xff\xc4")
    assert data.endswith(SOS + b"data" + EOI)


def test_a_frame_that_is_too_large_names_the_ring_that_takes_it_once_a_size(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    for number, size in enumerate((100_000, 101_000, 100, 90_000, 500_000)):
        bench.publisher.take(Captured(SOI + SOF + DHT + SOS + bytes(size) + EOI, number, number))
    assert bench.rejected() == {"too-large": 4}
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "--ring-size 512K" in said[0]
    assert 'ring_size = "4M"' in said[1]
    assert bench.publisher.too_large > 500_000


def test_a_picture_older_than_the_newest_is_stale(bench: Bench) -> None:
    assert bench.publisher.take(Captured(WHOLE, 10, 1))
    assert not bench.publisher.take(Captured(WHOLE, 9, 2))
    assert bench.publisher.take(Captured(WHOLE, 10, 3))
    assert bench.rejected() == {"stale": 1}


def test_missing_huffman_tables_are_inserted_and_marked(bench: Bench) -> None:
    assert bench.publisher.take(Captured(WITHOUT_TABLES, 1, 1))
    data, _, _, flags = bench.ring.frames[0]
    assert b"\xff\xc4" in data
    assert flags == FrameFlags.HUFFMAN_INSERTED


def test_a_size_that_the_source_does_not_know_is_read_from_the_picture(bench: Bench) -> None:
    bench.publisher.begin(Granted("MJPG", 0, 0, 0.0))
    assert bench.ring.interval_ns == 0
    for number in range(3):
        bench.publisher.take(Captured(WHOLE, number * 100_000_000, number))
    assert bench.ring.frames[0][1:3] == (64, 32)
    bench.publisher.settled()
    assert bench.ring.interval_ns == 100_000_000


def test_the_granted_interval_is_what_readers_are_told(bench: Bench) -> None:
    bench.publisher.settled()
    assert bench.ring.interval_ns == 40_000_000


SLOW = Granted("MJPG", 64, 32, 0.0, first_frame_timeout_s=20.0)
S = 1_000_000_000


def test_readers_are_told_of_a_slow_camera_at_its_second_frame(bench: Bench) -> None:
    bench.publisher.begin(SLOW)
    for number, at in enumerate((1, 61, 121)):
        bench.publisher.take(Captured(WHOLE, at * S, number))
        assert bench.ring.interval_ns == (40_000_000 if at == 1 else 60 * S)
    bench.publisher.begin(SLOW)
    assert bench.ring.interval_ns == 60 * S, "what it gave before holds until it is known anew"
    for number in range(10):
        bench.publisher.take(Captured(WHOLE, 200 * S + number * S // 10, number))
    bench.publisher.settled()
    assert bench.ring.interval_ns == pytest.approx(S // 10, rel=0.01)


def test_a_network_camera_that_is_slower_than_it_is_asked_is_told_so(bench: Bench) -> None:
    bench.publisher.begin(Granted("MJPG", 64, 32, 1.0, first_frame_timeout_s=20.0))
    assert bench.ring.interval_ns == S
    for number in range(3):
        bench.publisher.take(Captured(WHOLE, (1 + 5 * number) * S, number))
    assert bench.ring.interval_ns == 5 * S
    bench.publisher.settled()
    assert bench.ring.interval_ns == 5 * S


def test_a_source_without_patience_has_no_interval_until_it_is_measured(bench: Bench) -> None:
    bench.publisher.begin(Granted("MJPG", 64, 32, 0.0))
    assert bench.ring.interval_ns == 0


def settled_at_25_fps(ring: AnnouncedRing, gate: RateGate) -> tuple[Publisher, FrameCounters]:
    counters = FrameCounters()
    outlet = Switcher(ring=ring.writer, announce=ring.announce).camera
    publisher = Publisher(outlet=outlet, counters=counters, gate=gate)
    publisher.begin(Granted("MJPG", 640, 480, 25.0))
    return publisher, counters


def at(number: int) -> int:
    """When a frame was captured, at 25 a second."""
    return 100_000 * MS + number * 40 * MS


def test_frames_that_nobody_wants_are_dropped_unseen_and_counted(
    announced_ring: AnnouncedRing,
) -> None:
    gate = RateGate()
    publisher, counters = settled_at_25_fps(announced_ring, gate)
    gate.limit(1.0)
    for number in range(10):
        assert publisher.take(Captured(WHOLE, at(number), number)), "not settled yet"
    publisher.settled()
    for number in range(10, 110):
        picture = WHOLE if number in (10, 35, 60, 85) else b"not looked at"
        assert publisher.take(Captured(picture, at(number), number)), "its source is well"
    counts = counters.counts(0)
    assert (counts.captured, counts.published, counts.missed) == (110, 14, 0)
    assert counts.rejected == {"unwatched": 96}
    assert announced_ring.interval_ns == 1000 * MS, "readers know how long they wait"


def test_all_frames_are_there_at_once_when_somebody_wants_them(
    announced_ring: AnnouncedRing,
) -> None:
    gate = RateGate()
    publisher, counters = settled_at_25_fps(announced_ring, gate)
    gate.limit(0.5)
    publisher.settled()
    for number in range(10):
        publisher.take(Captured(WHOLE, at(number), number))
    assert counters.counts(0).published == 1
    gate.limit(None)
    for number in range(10, 13):
        publisher.take(Captured(WHOLE, at(number), number))
    assert counters.counts(0).published == 4
    assert announced_ring.interval_ns == 40 * MS


def test_a_faulty_frame_is_counted_as_that_whoever_watches(announced_ring: AnnouncedRing) -> None:
    gate = RateGate()
    publisher, counters = settled_at_25_fps(announced_ring, gate)
    gate.limit(1.0)
    publisher.settled()
    publisher.take(Captured(WHOLE, at(1), 1))
    assert not publisher.take(Captured(WHOLE, at(2), 2, faulty=True))
    assert counters.counts(0).rejected == {"flagged": 1}


def test_a_limit_above_the_cameras_rate_drops_nothing(announced_ring: AnnouncedRing) -> None:
    gate = RateGate()
    publisher, counters = settled_at_25_fps(announced_ring, gate)
    gate.limit(30.0)
    publisher.settled()
    for number in range(50):
        publisher.take(Captured(WHOLE, at(number), number))
    assert counters.counts(0).published == 50
    assert announced_ring.interval_ns == 40 * MS


def test_a_source_may_ask_before_without_another_answer_to_its_frame(
    announced_ring: AnnouncedRing,
) -> None:
    gate = RateGate()
    publisher, counters = settled_at_25_fps(announced_ring, gate)
    gate.limit(1.0)
    assert not publisher.unwanted(at(0)), "not settled yet"
    publisher.settled()
    for number in range(50):
        unwanted = publisher.unwanted(at(number))
        reject: Literal["unwatched", ""] = "unwatched" if unwanted else ""
        publisher.take(Captured(b"" if unwanted else WHOLE, at(number), number, reject=reject))
    assert counters.counts(0).published == 2
    assert counters.counts(0).rejected == {"unwatched": 48}
