"""Two publishers, one ring: who publishes when, what readers are told, and that all adds up."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from framebus.contract.words import Rejection
from framebus.frame import FrameFlags

from capture_daemon.capturing.counters import FrameCounters
from capture_daemon.capturing.publisher import Publisher
from capture_daemon.capturing.switcher import OFF_AIR, OVERTAKEN, Switcher
from capture_daemon.sources.base import Captured, Granted
from tests.rigs.announced_ring import AnnouncedRing
from tests.samples.small_jpeg import WHOLE

MS = 1_000_000


class Desk:
    """A switcher with both publishers on it: the camera at 25 a second, its fallback at 5."""

    def __init__(self, ring: AnnouncedRing) -> None:
        self.ring = ring
        self.switcher = Switcher(ring=ring.writer, announce=ring.announce)
        self.counts = {"camera": FrameCounters(), "fallback": FrameCounters()}
        outlets = {"camera": self.switcher.camera, "fallback": self.switcher.fallback}
        self.publishers = {
            name: Publisher(outlet=outlet, counters=self.counts[name])
            for name, outlet in outlets.items()
        }
        self.publishers["camera"].begin(Granted("MJPG", 640, 480, 25.0))
        self.publishers["fallback"].begin(Granted("MJPG", 320, 240, 5.0))

    def take(self, who: str, at_ms: int) -> bool:
        return self.publishers[who].take(Captured(WHOLE, at_ms * MS, at_ms))

    def rejected(self, who: str) -> Mapping[Rejection, int]:
        return self.counts[who].counts(0).rejected

    def published(self) -> str:
        """Who published, in order: c and f."""
        return "".join(
            "f" if FrameFlags.FALLBACK in frame[3] else "c" for frame in self.ring.frames
        )


@pytest.fixture
def desk(announced_ring: AnnouncedRing) -> Desk:
    return Desk(announced_ring)


def test_the_camera_has_the_air_until_the_fallback_is_given_it(desk: Desk) -> None:
    desk.take("camera", 1)
    desk.take("fallback", 2)
    assert desk.published() == "c"
    desk.switcher.show_fallback(True)
    desk.take("fallback", 3)
    assert desk.published() == "cf"


def test_the_cameras_first_frame_takes_the_air_back(desk: Desk) -> None:
    desk.switcher.show_fallback(True)
    desk.take("fallback", 1)
    desk.take("camera", 2)
    desk.take("fallback", 3)
    assert desk.published() == "fc"


def test_a_bad_frame_of_the_camera_takes_nothing(desk: Desk) -> None:
    desk.switcher.show_fallback(True)
    desk.publishers["camera"].take(Captured(b"garbage", 1 * MS, 1))
    desk.take("fallback", 2)
    assert desk.published() == "f"


def test_a_good_frame_that_is_off_the_air_speaks_for_its_source_and_is_counted(desk: Desk) -> None:
    assert desk.take("fallback", 1)
    assert desk.rejected("fallback") == {OFF_AIR: 1}
    counts = desk.counts["fallback"]
    assert counts.arrived_ns() > 0
    assert counts.rejected_since() == []


def test_a_camera_with_a_long_way_is_overtaken_once_and_then_seen(desk: Desk) -> None:
    """Its frames are captured before the fallback's that are published already."""
    desk.switcher.show_fallback(True)
    desk.take("fallback", 100)
    assert desk.take("camera", 60)  # which is how the controller hears that it is well
    desk.take("fallback", 105)
    desk.take("camera", 101)
    assert desk.published() == "fc"
    assert desk.rejected("camera") == {OVERTAKEN: 1}


def test_time_never_goes_back_within_one_source_either(desk: Desk) -> None:
    desk.take("camera", 10)
    assert not desk.take("camera", 9)
    assert desk.rejected("camera") == {"stale": 1}


def test_readers_are_told_the_interval_of_whoever_publishes(desk: Desk) -> None:
    assert desk.ring.interval_ns == 40 * MS
    desk.switcher.show_fallback(True)
    desk.take("fallback", 1)
    assert desk.ring.interval_ns == 200 * MS
    desk.publishers["camera"].begin(Granted("MJPG", 640, 480, 50.0))
    assert desk.ring.interval_ns == 200 * MS, "the camera was opened and has given nothing yet"
    desk.take("camera", 2)
    assert desk.ring.interval_ns == 20 * MS


def test_every_frame_of_both_ends_in_exactly_one_place(desk: Desk) -> None:
    for at_ms in range(1, 200):
        if at_ms % 50 == 0:
            desk.switcher.show_fallback(at_ms % 100 == 0)
        desk.take("fallback", at_ms)
        if at_ms % 7 == 0:
            desk.take("camera", at_ms - 3)
    published = 0
    for counters in desk.counts.values():
        counts = counters.counts(0)
        assert counts.captured == counts.published + sum(counts.rejected.values())
        published += counts.published
    assert published == len(desk.ring.frames)
