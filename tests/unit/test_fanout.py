"""Who is sent what and when, with sockets whose room the test decides."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator

import pytest

from tests.rigs.fan_out import MS, PLENTY, Bench, picture
from web_workers.counts.worker_counts import Closed
from web_workers.wire.multipart import Picture, Style, opening, part


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_who_keeps_up_is_in_the_next_broadcast_and_who_does_not_comes_back_to_it(
    bench: Bench,
) -> None:
    quick, slow = bench.join(), bench.join()
    bench.deliver(1)
    assert bench.members[-1] == [quick.viewer, slow.viewer]
    slow.room = 5
    second = bench.deliver(2)
    assert slow.viewer.rest is not None
    assert slow.viewer.rest.obj is second.plain
    assert quick.viewer.rest is None
    bench.deliver(3)
    assert bench.members[-1] == [quick.viewer]
    slow.news()
    slow.make_room()
    third = bench.deliver(4)
    assert bench.members[-1] == [quick.viewer, slow.viewer]
    assert slow.news().endswith(third.plain)


def test_who_has_left_is_in_no_broadcast_and_is_sent_nothing(bench: Bench) -> None:
    stays, keeping_up, behind, fewer = (*(bench.join() for _ in range(3)), bench.join(fps=1000.0))
    bench.deliver(1)
    behind.room = 5
    bench.deliver(2)
    left = (keeping_up, behind, fewer)
    for each in left:
        each.viewer.close(Closed.LEFT)
        each.news()
        each.room = PLENTY
    bench.deliver(3)
    bench.fanout.show(picture(3, bench.now), due_ns=0)
    bench.fanout.repeat()
    assert bench.members[-1] == [stays.viewer]
    assert [each.got for each in left] == [b""] * 3
    assert bench.fanout.viewers == (stays.viewer,)
    assert bench.empty == 0
    stays.viewer.close(Closed.LEFT)
    assert bench.empty == 1


@pytest.mark.parametrize(
    ("error", "why"), [(errno.EPIPE, Closed.LEFT), (errno.ETIMEDOUT, Closed.STALLED)]
)
def test_a_socket_that_a_broadcast_finds_broken_is_closed(
    bench: Bench, error: int, why: Closed
) -> None:
    stays, broken = bench.join(), bench.join()
    bench.deliver(1)
    broken.broken = error
    bench.deliver(2)
    assert broken.viewer.fileno() < 0
    assert bench.fanout.viewers == (stays.viewer,)
    counts = bench.fanout.worker_counts().counts
    assert counts["closed", "camera", "stream", why.value] == 1
    assert counts["sent", "camera", "stream"] == 4


def test_a_viewer_that_a_broadcast_found_full_is_not_closed_and_gets_that_frame_whole(
    bench: Bench,
) -> None:
    full = bench.join()
    first = bench.deliver(1)
    assert full.news() == first.plain
    full.room = 0
    second = bench.deliver(2)
    assert full.viewer.fileno() >= 0
    full.make_room()
    assert full.news() == second.plain


def test_everybody_gets_every_frame_as_asked_for_and_each_kind_is_made_once(bench: Bench) -> None:
    sent: list[tuple[Style, bytes | memoryview]] = []

    def noting(style: Style) -> Callable[[bytes | memoryview], int]:
        def note(data: bytes | memoryview) -> int:
            sent.append((style, data))
            return len(data)

        return note

    for style in [*Style, *Style]:
        watcher = bench.watcher(style=style)
        bench.fanout.join(watcher.viewer, b"", None)
        watcher.viewer.send = noting(style)
    for number in (1, 2, 3):
        sent.clear()
        newest = bench.deliver(number)
        made = {style: part(newest, style, bench.now) for style in Style}
        assert len(sent) == 6
        assert all(data == made[style] for style, data in sent)
        assert len({id(data) for _, data in sent}) == 3


def test_nothing_comes_between_the_pieces_of_a_part(bench: Bench) -> None:
    slow = bench.join()
    slow.viewer.dual_final = True
    slow.room = 5
    first = bench.deliver(1)
    slow.room = PLENTY  # but it was not told of that yet
    bench.deliver(2)
    bench.fanout.repeat()
    bench.fanout.show(picture(2, bench.now), due_ns=0)
    assert slow.news() == first.plain[:5]
    slow.make_room()
    assert slow.news().startswith(first.plain[5:])


def test_a_pause_before_any_frame_has_nothing_to_repeat(bench: Bench) -> None:
    early = bench.join()
    early.viewer.dual_final = True
    bench.fanout.repeat()
    assert early.news() == b""


def test_who_asked_for_the_last_frame_twice_keeps_up_all_the_same(bench: Bench) -> None:
    twice = bench.join()
    twice.viewer.dual_final = True
    first = bench.deliver(1)
    twice.room = len(first.plain) - 5 + len(first.plain)
    twice.news()
    bench.fanout.repeat()
    assert twice.news() == first.plain
    twice.room = 5
    bench.fanout.repeat()
    twice.room = PLENTY  # but it was not told of that yet
    second = bench.deliver(2)  # who is behind is in no round: that would send into the part
    assert twice.news() == first.plain[:5]
    twice.make_room()
    assert twice.news() == first.plain[5:] + second.plain


def test_what_is_no_new_frame_is_made_once_and_comes_as_often_as_was_asked_for(
    bench: Bench,
) -> None:
    bench.deliver(1)
    sent: list[bytes | memoryview] = []

    def noting(data: bytes | memoryview) -> int:
        sent.append(data)
        return len(data)

    for _ in range(2):
        extra = bench.watcher(style=Style.EXTRA)
        bench.fanout.join(extra.viewer, b"", None)
        extra.viewer.send = noting
    sent.clear()
    fewer = bench.join(fps=1.0)
    stand_in = Picture.stand_in(b"painted", "gone", None)
    shown = []
    for _ in range(8):  # four seconds
        bench.fanout.show(stand_in, due_ns=100 * MS)
        shown.append(fewer.news() == stand_in.plain)
        bench.now += 500 * MS
    assert shown == [True, False] * 4
    assert len(sent) == 16
    assert all(sent[at] is sent[at + 1] for at in range(0, 16, 2))


def test_who_cannot_take_what_stands_in_for_a_frame_is_in_no_broadcast_until_it_has(
    bench: Bench,
) -> None:
    slow = bench.join()
    slow.room = 5
    stand_in = Picture.stand_in(b"painted", "gone", None)
    bench.fanout.show(stand_in, due_ns=0)
    assert bench.fanout.age_ns(slow.viewer) is None
    slow.room = PLENTY  # but it was not told of that yet
    first = bench.deliver(1)
    assert slow.news() == stand_in.plain[:5]
    slow.make_room()
    assert slow.news() == stand_in.plain[5:] + first.plain
    second = bench.deliver(2)
    assert slow.news() == second.plain


def test_a_joiner_has_no_copy_of_its_own_of_the_frame_that_it_begins_with(bench: Bench) -> None:
    newest = bench.deliver(1)
    joiner = bench.watcher()
    joiner.room = len(b"head" + opening(Style.PLAIN)) + 3
    bench.fanout.join(joiner.viewer, b"head", newest)
    assert joiner.viewer.rest is not None
    assert joiner.viewer.rest.obj is newest.plain
    joiner.make_room()
    assert joiner.got == b"head" + opening(Style.PLAIN) + newest.plain


def test_a_frame_half_an_interval_early_is_in_time_for_who_asked_for_fewer(bench: Bench) -> None:
    newest = bench.deliver(1)
    fewer = bench.join(newest, fps=10.0)
    bench.now += 80 * MS - 40 * MS - 1
    bench.deliver(2, interval_ns=40 * MS)
    assert fewer.news() == b""
    bench.now += 1 - 40 * MS
    third = bench.deliver(3, interval_ns=40 * MS)
    assert fewer.news() == third.plain
