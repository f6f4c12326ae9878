from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.errors import NoPermission, SegmentInvalid
from framebus.listener import own_context
from framebus.names import CameraNames

from tests.helpers.waiting import until
from tests.rigs.bus import Bus
from web_workers.cameras.link import RingLink


@pytest.fixture
def bus(runtime: Path) -> Iterator[Bus]:
    bus = Bus(runtime)
    yield bus
    bus.close()


@pytest.fixture
def link(bus: Bus) -> Iterator[RingLink]:
    context = own_context()
    link = RingLink(bus.names, context)
    yield link
    link.close()
    context.term()


def test_a_frame_is_taken_once_whether_it_was_heard_of_or_looked_for(
    bus: Bus, link: RingLink
) -> None:
    def heard() -> int:
        bus.publish()
        frame = link.heard()
        return frame.sequence if frame is not None else 0

    assert until(heard) <= bus.writer.cursor
    bus.publish()
    taken = link.look()
    assert taken is not None
    assert taken.sequence == bus.writer.cursor
    assert link.look() is None
    until(lambda: link._listener.socket.poll(10), what="the hint of that frame has come")
    assert link.heard() is None


def test_what_was_passed_over_is_published_all_the_same(bus: Bus, link: RingLink) -> None:
    for _ in range(5):
        bus.publish()
    frame = link.look()
    assert frame is not None
    assert (frame.sequence, link.published) == (5, 5)


def test_frames_of_an_old_epoch_count_when_the_next_one_comes(runtime: Path) -> None:
    context = own_context()
    bus = Bus(runtime)
    bus.publish()
    link = RingLink(bus.names, context)
    assert link.look() is not None
    bus.publish()
    bus.publish()
    bus.close()
    bus = Bus(runtime)
    bus.publish()
    old_end = link.look()  # the old ring is read to its end first
    assert old_end is not None
    assert old_end.sequence == 3
    old = link.ring
    new = link.look()
    assert old is not None
    assert old._map.closed
    assert new is not None
    assert new.sequence == 1
    assert link.lineage == bus.writer.epoch, "it has no predecessor"
    assert link.published == 4
    last = link.ring
    link.close()
    assert last is not None
    assert last._map.closed
    assert (link.ring, link.lineage, link.interval_ns) == (None, 0, 0)
    bus.close()
    context.term()


def test_a_hint_of_a_frame_that_is_overwritten_has_the_newest_taken_and_counts_both(
    bus: Bus, link: RingLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = bus.publish_all([bytes(1 << 20)] * 6)[0]  # 6 MB through a ring of 4
    hints = iter([late])
    monkeypatch.setattr(link._listener, "receive", lambda: next(hints, None))
    frame = link.heard()
    assert frame is not None
    assert frame.sequence == 6
    assert link.published == 6


@pytest.mark.parametrize("trouble", [SegmentInvalid, NoPermission])
def test_a_segment_that_is_no_ring_is_trouble_until_it_is_replaced(
    runtime: Path, trouble: type[Exception]
) -> None:
    names = CameraNames(runtime)
    if trouble is SegmentInvalid:
        names.ring_file.write_bytes(b"nonsense")
    else:
        names.ring_file.symlink_to(runtime)
    context = own_context()
    link = RingLink(names, context)
    assert link.look() is None
    assert isinstance(link.trouble, trouble)
    bus = Bus(runtime)
    bus.publish()
    assert link.look() is not None
    assert link.trouble is None
    link.close()
    bus.close()
    context.term()
