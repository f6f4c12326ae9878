from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.errors import NoPermission, SegmentInvalid
from framebus.names import CameraNames

from tests.helpers.waiting import until
from tests.rigs.bus import Bus
from web_workers.cameras.ring_follower import RingFollower


@pytest.fixture
def follower(bus: Bus) -> Iterator[RingFollower]:
    follower = RingFollower(bus.names)
    yield follower
    follower.close()


def test_a_frame_is_taken_once_whether_it_was_heard_of_or_looked_for(
    bus: Bus, follower: RingFollower
) -> None:
    def heard() -> int:
        bus.publish()
        frame = follower.receive()
        return frame.sequence if frame is not None else 0

    assert until(heard) <= bus.writer.cursor
    bus.publish()
    taken = follower.poll()
    assert taken is not None
    assert taken.sequence == bus.writer.cursor
    assert follower.poll() is None
    hint = until(follower._listener.receive, what="the hint of that frame has come")
    assert hint is not None
    assert hint.sequence == taken.sequence


def test_what_was_passed_over_is_published_all_the_same(bus: Bus, follower: RingFollower) -> None:
    for _ in range(5):
        bus.publish()
    frame = follower.poll()
    assert frame is not None
    assert (frame.sequence, follower.published) == (5, 5)


def test_frames_of_an_old_epoch_count_when_the_next_one_comes(runtime: Path) -> None:
    bus = Bus(runtime)
    bus.publish()
    follower = RingFollower(bus.names)
    assert follower.poll() is not None
    bus.publish()
    bus.publish()
    bus.close()
    bus = Bus(runtime)
    bus.publish()
    old_end = follower.poll()  # the old ring is read to its end first
    assert old_end is not None
    assert old_end.sequence == 3
    old = follower.ring
    new = follower.poll()
    assert old is not None
    assert old._map.closed
    assert new is not None
    assert new.sequence == 1
    assert follower.lineage == bus.writer.epoch, "it has no predecessor"
    assert follower.published == 4
    last = follower.ring
    follower.close()
    assert last is not None
    assert last._map.closed
    assert (follower.ring, follower.lineage, follower.interval_ns) == (None, 0, 0)
    bus.close()


def test_a_hint_of_a_frame_that_is_overwritten_has_the_newest_taken_and_counts_both(
    bus: Bus, follower: RingFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = bus.publish_all([bytes(1 << 20)] * 6)[0]  # 6 MB through a ring of 4
    hints = iter([late])
    monkeypatch.setattr(follower._listener, "receive", lambda: next(hints, None))
    frame = follower.receive()
    assert frame is not None
    assert frame.sequence == 6
    assert follower.published == 6


@pytest.mark.parametrize("trouble", [SegmentInvalid, NoPermission])
def test_a_segment_that_is_no_ring_is_trouble_until_it_is_replaced(
    runtime: Path, trouble: type[Exception]
) -> None:
    names = CameraNames(runtime)
    if trouble is SegmentInvalid:
        names.ring_file.write_bytes(b"nonsense")
    else:
        names.ring_file.symlink_to(runtime)
    follower = RingFollower(names)
    assert follower.poll() is None
    assert isinstance(follower.trouble, trouble)
    bus = Bus(runtime)
    bus.publish()
    assert follower.poll() is not None
    assert follower.trouble is None
    follower.close()
    bus.close()
