"""What is counted of a viewer, and what it takes along to another worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.rigs.fan_out import LINEAGE, MS, Bench
from web_workers.counts.tally import Delivery
from web_workers.wire.multipart import Picture


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_a_frame_is_counted_as_sent_to_a_joiner_and_what_stands_in_for_one_is_not(
    bench: Bench,
) -> None:
    newest = bench.deliver(3)
    frame = bench.join(newest)
    stand_in = bench.join(Picture.stand_in(b"painted", "gone", newest))
    nothing = bench.join()
    deliveries = [bench.fanout.delivery(each.viewer) for each in (frame, stand_in, nothing)]
    assert [(each.sent, each.skipped, each.waiting) for each in deliveries] == [
        (1, 0, 0),
        (0, 0, 0),
        (0, 0, 0),
    ]


def test_who_comes_before_the_first_frame_has_that_and_all_later_ones_counted(
    bench: Bench,
) -> None:
    early = bench.join()
    for published in (1, 4):  # two are overwritten before this worker sees them
        bench.deliver(published)
    delivery = bench.fanout.delivery(early.viewer)
    assert (delivery.sent, delivery.skipped, delivery.waiting) == (2, 2, 0)


def test_age_is_that_of_the_newest_frame_sent_and_there_is_none_without(bench: Bench) -> None:
    viewers = [bench.join(), bench.join(fps=1000.0)]
    assert [bench.fanout.age_ns(each.viewer) for each in viewers] == [None, None]
    bench.deliver(1)
    bench.deliver(2)
    bench.now += 7 * MS
    assert [bench.fanout.age_ns(each.viewer) for each in viewers] == [7 * MS, 7 * MS]


def test_age_of_who_falls_behind_is_that_of_the_frame_that_it_has_begun(bench: Bench) -> None:
    slow = bench.join()
    bench.deliver(1)
    slow.room = 5
    begun = bench.deliver(2)
    bench.deliver(3)
    assert bench.fanout.age_ns(slow.viewer) == bench.now - begun.captured_ns


def test_what_a_viewer_takes_along_says_which_frames_it_has_had(bench: Bench) -> None:
    mover = bench.join()
    before = bench.fanout.state_of(mover.viewer)
    assert (before.states, before.sequence, before.lineage, before.captured_ns) == (False, 0, 0, 0)
    bench.deliver(1)
    newest = bench.deliver(2)
    after = bench.fanout.state_of(mover.viewer)
    assert (after.camera, after.states, after.lineage, after.sequence) == (
        "camera",
        False,
        LINEAGE,
        2,
    )
    assert (after.sent, after.skipped, after.waiting) == (2, 0, 0)
    assert after.captured_ns == newest.captured_ns


def test_a_viewer_that_waited_for_the_newest_frame_gets_it_where_it_moves_to(bench: Bench) -> None:
    newest = bench.deliver(5)
    viewer_state = replace(
        bench.fanout.state_of(bench.join().viewer), sent=1, skipped=0, waiting=1, captured_ns=9
    )
    mover = bench.watcher()
    bench.fanout.move_in(mover.viewer, viewer_state)
    assert mover.news() == newest.plain
    assert bench.fanout.delivery(mover.viewer) == Delivery(2, 0, 0, len(newest.plain))
    following = bench.deliver(6)
    assert mover.viewer in bench.members[-1]
    assert mover.news() == following.plain


def test_a_viewer_that_moves_with_a_part_under_way_gets_the_newest_frame_after_it(
    bench: Bench,
) -> None:
    bench.deliver(5)
    viewer_state = replace(
        bench.fanout.state_of(bench.join().viewer), sent=1, waiting=1, captured_ns=9
    )
    mover = bench.watcher()
    mover.viewer.rest = memoryview(b"rest")
    mover.room = 0
    bench.fanout.move_in(mover.viewer, viewer_state)
    assert bench.fanout.age_ns(mover.viewer) == bench.now - 9
    newest = bench.deliver(6)
    delivery = bench.fanout.delivery(mover.viewer)
    assert (delivery.sent, delivery.skipped, delivery.waiting) == (1, 1, 1)
    mover.make_room()
    assert mover.news() == b"rest" + newest.plain


@pytest.mark.parametrize("waiting", [0, 1])
def test_a_viewer_that_moves_to_where_no_frame_has_come_yet_is_sent_none(
    bench: Bench, waiting: int
) -> None:
    bench.deliver(5)
    viewer_state = replace(bench.fanout.state_of(bench.join().viewer), waiting=waiting)
    there = bench.another()
    mover = bench.watcher()
    there.move_in(mover.viewer, viewer_state)
    assert mover.news() == b""
    delivery = there.delivery(mover.viewer)
    assert (delivery.sent, delivery.skipped, delivery.waiting) == (0, waiting, 0)


@pytest.mark.parametrize(("lineage", "skipped"), [(LINEAGE, 3), (LINEAGE + 1, 7)])
def test_frames_between_two_workers_are_counted_by_the_count_that_they_are_in(
    bench: Bench, lineage: int, skipped: int
) -> None:
    bench.deliver(8)
    viewer_state = replace(bench.fanout.state_of(bench.join().viewer), lineage=lineage, sequence=4)
    mover = bench.watcher()
    bench.fanout.move_in(mover.viewer, viewer_state)
    delivery = bench.fanout.delivery(mover.viewer)
    assert (delivery.sent, delivery.skipped, delivery.waiting) == (1, skipped, 0)
