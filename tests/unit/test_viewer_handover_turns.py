"""When a worker takes and gives, how many at once, and what it tells the other workers."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from tests.rigs.viewer_handover import MS, Bench
from web_workers.handover.viewer_handover import BALANCE_EVERY_NS, PATIENCE_NS
from web_workers.handover.viewer_state import ViewerState
from web_workers.handover.worker_registry import WorkerState


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def refuse(_carried: ViewerState, _fd: int, _rest: memoryview | None) -> bool:
    raise OSError(errno.EPIPE, "Broken pipe")


def test_the_others_are_told_what_this_worker_does(bench: Bench) -> None:
    bench.have(3)
    bench.handover.open()
    bench.handover.leave()
    bench.handover.close()
    assert bench.registry.told == [WorkerState.SERVING, WorkerState.ENDING, WorkerState.OVER]


def test_many_are_taken_some_at_a_time_and_without_waiting(bench: Bench) -> None:
    bench.tick = 1
    bench.handover.open()
    bench.wait(100)
    had: list[int] = []
    while bench.channel.waiting() and len(had) < 10:
        bench.loop.dispatch()
        had.append(len(bench.host.viewers))
    assert had == [64, 96, 100]  # at first the lane and the timer have a turn each


def test_many_are_given_some_at_a_time_and_without_waiting(bench: Bench) -> None:
    bench.have(100)
    bench.tick = 1
    bench.handover.open()
    bench.handover.leave()
    have = [len(bench.host.viewers)]
    while have[-1] and len(have) < 10:
        bench.loop.dispatch()
        have.append(len(bench.host.viewers))
    assert have == [68, 36, 4, 0]
    assert bench.settled == 4


def test_nothing_is_looked_for_while_nothing_waits(bench: Bench) -> None:
    bench.handover.open()
    bench.wait(3)
    bench.pass_ms(100)
    assert bench.loop.timeout_s(99.0) > 0.5  # only the balance, which is due each second


def test_a_worker_that_was_looking_when_it_is_to_end_takes_nothing_more(bench: Bench) -> None:
    bench.peer(6, 0, WorkerState.BOOTING)
    bench.handover.open()
    bench.wait(40)
    bench.pass_ms(20)
    assert bench.channel.waiting() == 20
    bench.registry.others.clear()
    bench.handover.leave()
    bench.pass_ms(1000)
    assert (len(bench.host.viewers), bench.channel.waiting()) == (0, 40)
    assert bench.outcomes() == {"done": 20}


def test_others_have_as_much_time_for_each_that_waits_as_for_the_first(bench: Bench) -> None:
    bench.peer(6, 0, WorkerState.BOOTING)
    bench.handover.open()
    bench.wait(2)
    bench.pass_ms(50)
    taken = bench.channel.take()  # by the other one
    assert taken is not None
    taken.sock.close()
    bench.pass_ms(2 * PATIENCE_NS // MS)
    bench.wait(3)
    bench.pass_ms(PATIENCE_NS // MS - 50)
    assert (len(bench.host.viewers), bench.channel.waiting()) == (2, 2)


def test_workers_that_are_ending_are_left_no_share(bench: Bench) -> None:
    bench.peer(4, 0, WorkerState.ENDING)
    bench.handover.open()
    bench.wait(10)
    bench.pass_ms(10)
    assert len(bench.host.viewers) == 10


def test_a_viewer_that_another_worker_was_quicker_to_take_is_no_loss(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.channel, "waiting", lambda: 5)
    bench.wait(1)
    bench.handover.open()
    bench.pass_ms(50)
    assert bench.outcomes() == {"done": 1}
    assert bench.registry.lost() == 0


def test_nobody_is_given_away_while_others_wait(bench: Bench) -> None:
    bench.have(40)
    bench.peer(6, 0)
    bench.wait(5)
    bench.handover.open()
    assert bench.channel.waiting() == 5


def test_the_balance_is_looked_after_for_as_long_as_the_worker_serves(bench: Bench) -> None:
    bench.handover.open()
    bench.pass_ms(3 * BALANCE_EVERY_NS // MS)
    bench.have(40)
    bench.peer(6, 0)
    bench.pass_ms(10)
    assert (len(bench.host.viewers), bench.channel.waiting()) == (20, 20)
    assert bench.settled == 1


def test_who_has_taken_what_others_left_may_give_at_once_when_they_are_well(bench: Bench) -> None:
    bench.peer(6, 0, WorkerState.BOOTING)
    bench.handover.open()
    bench.wait(40)
    bench.pass_ms(PATIENCE_NS // MS + 200)
    assert len(bench.host.viewers) == 40
    bench.registry.others.clear()
    bench.peer(6, 0)
    bench.pass_ms(BALANCE_EVERY_NS // MS - PATIENCE_NS // MS - 200 + 40)
    assert bench.channel.waiting() == 20


@pytest.mark.parametrize("broken", [False, True])
def test_what_cannot_be_given_for_the_balance_is_served_on_and_not_tried_again_soon(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    bench.have(40)
    bench.peer(6, 0)
    with monkeypatch.context() as patch:
        if broken:
            patch.setattr(bench.channel, "put", refuse)
        else:
            patch.setattr(bench.host.viewers[-20], "peer", "p" * 2000)
        bench.handover.open()
    assert len(bench.host.viewers) == 40
    bench.pass_ms(5 * BALANCE_EVERY_NS // MS)
    assert len(bench.host.viewers) == 40
    assert bench.outcomes() == {}
    for _ in range(70):
        bench.pass_ms(100)
        if bench.channel.waiting():
            break
    assert (len(bench.host.viewers), bench.channel.waiting()) == (20, 20)


def test_a_channel_that_is_broken_costs_a_worker_that_ends_its_viewers_and_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.have(2)
    monkeypatch.setattr(bench.channel, "put", refuse)
    bench.handover.open()
    bench.handover.leave()
    assert bench.handover.empty
    assert bench.outcomes() == {"failed": 2}


def test_a_younger_worker_that_is_itself_ending_is_not_the_one_to_wait_for(bench: Bench) -> None:
    bench.have(5)
    bench.peer(6, 0, WorkerState.ENDING)
    bench.handover.open()
    bench.table.started(6)
    bench.handover.leave()
    bench.pass_ms(900)
    assert len(bench.host.viewers) == 5
    bench.pass_ms(200)
    assert bench.handover.empty
