"""From a picture to the ring: what is published, what is rejected, and for which reason."""

from __future__ import annotations

import pytest
from framebus.errors import FrameTooLarge
from framebus.frame import FrameFlags
from framebus.ring.announcement import Announcement
from framebus.ring.layout import Descriptor

from capture_daemon.capturing.counters import FrameCounters
from capture_daemon.capturing.publisher import Publisher
from capture_daemon.capturing.switcher import Switcher
from capture_daemon.sources.base import Captured, Granted

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOF = b"\xff\xc0\x00\x0b\x08\x00\x20\x00\x40\x01\x01\x11\x00"  # 64 x 32, one component
SOS = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
DHT = b"\xff\xc4\x00\x03\x00"
WHOLE = SOI + SOF + DHT + SOS + b"data" + EOI
WITHOUT_TABLES = SOI + SOF + SOS + b"data" + EOI


class Ring:
    """Keeps what it is given; takes at most 1000 bytes."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, int, int, FrameFlags]] = []
        self.interval_ns = -1

    def publish(
        self,
        jpeg: bytes | memoryview,
        *,
        captured_ns: int,
        captured_utc_ns: int,
        device_sequence: int = 0,
        width: int = 0,
        height: int = 0,
        flags: FrameFlags = FrameFlags.NONE,
    ) -> Announcement:
        if len(jpeg) > 1000:
            raise FrameTooLarge("too large")
        self.frames.append((bytes(jpeg), width, height, flags))
        return Announcement(1, Descriptor(1, 0, len(jpeg), 0, 0, 0, 0, 0, 0, 0, 0))

    def set_interval(self, interval_ns: int) -> None:
        self.interval_ns = interval_ns


class Announcer:
    def __init__(self) -> None:
        self.announced = 0

    def announce(self, announcement: Announcement) -> None:
        self.announced += 1


class Bench:
    """A publisher with everything it needs."""

    def __init__(self) -> None:
        self.ring, self.announcer, self.counters = Ring(), Announcer(), FrameCounters()
        self.switcher = Switcher(ring=self.ring, announcer=self.announcer)
        self.publisher = Publisher(outlet=self.switcher.camera, counters=self.counters)
        self.publisher.begin(Granted("MJPG", 640, 480, 25.0))

    def rejected(self) -> dict[str, int]:
        return dict(self.counters.counts(0).rejected)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_whole_picture_is_published_byte_for_byte_and_announced(bench: Bench) -> None:
    assert bench.publisher.take(Captured(memoryview(WHOLE), 1, 1))
    assert bench.ring.frames == [(WHOLE, 640, 480, FrameFlags.NONE)]
    assert bench.announcer.announced == 1


@pytest.mark.parametrize(
    ("captured", "reason"),
    [
        (Captured(WHOLE, 1, 1, faulty=True), "flagged"),
        (Captured(b"", 1, 1), "empty"),
        (Captured(b"not a picture", 1, 1), "no-soi"),
        (Captured(WHOLE[:-2], 1, 1), "no-eoi"),
        (Captured(SOI + SOF + DHT + SOS + bytes(2000) + EOI, 1, 1), "too-large"),
        (Captured(WHOLE, 1, 1, reject="encode-failed"), "encode-failed"),
    ],
)
def test_a_bad_picture_is_counted_by_its_reason_and_not_announced(
    bench: Bench, captured: Captured, reason: str
) -> None:
    assert not bench.publisher.take(captured)
    assert bench.rejected() == {reason: 1}
    assert bench.ring.frames == []
    assert bench.announcer.announced == 0


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


SLOW = Granted("MJPG", 64, 32, 0.0, patience_s=20.0)
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
    bench.publisher.begin(Granted("MJPG", 64, 32, 1.0, patience_s=20.0))
    assert bench.ring.interval_ns == S
    for number in range(3):
        bench.publisher.take(Captured(WHOLE, (1 + 5 * number) * S, number))
    assert bench.ring.interval_ns == 5 * S
    bench.publisher.settled()
    assert bench.ring.interval_ns == 5 * S


def test_a_source_without_patience_has_no_interval_until_it_is_measured(bench: Bench) -> None:
    bench.publisher.begin(Granted("MJPG", 64, 32, 0.0))
    assert bench.ring.interval_ns == 0
