from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator

import pytest

from web_workers.wire.loop import StreamLoop


class Clock:
    """Monotonic nanoseconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loop(clock: Clock) -> Iterator[StreamLoop]:
    loop = StreamLoop(clock=clock)
    yield loop
    loop.close()


def test_timers_run_in_order_of_their_time_and_once(loop: StreamLoop, clock: Clock) -> None:
    ran: list[str] = []
    loop.call_at(clock.now + 20, lambda: ran.append("later"))
    loop.call_at(clock.now + 10, lambda: ran.append("sooner"))
    loop.dispatch()
    assert ran == []
    clock.now += 20
    loop.dispatch()
    loop.dispatch()
    assert ran == ["sooner", "later"]


def test_a_cancelled_timer_does_not_run_and_holds_nothing_up(
    loop: StreamLoop, clock: Clock
) -> None:
    ran: list[str] = []
    loop.call_at(clock.now, lambda: ran.append("no")).cancel()
    assert loop.timeout_s(1.0) == 1.0
    loop.dispatch()
    assert ran == []


def test_the_timeout_reaches_to_the_next_timer(loop: StreamLoop, clock: Clock) -> None:
    loop.call_at(clock.now + 250_000_000, lambda: None)
    assert loop.timeout_s(1.0) == pytest.approx(0.25)
    clock.now += 300_000_000
    assert loop.timeout_s(1.0) == 0.0


def test_a_call_from_another_thread_runs_in_the_loop(loop: StreamLoop) -> None:
    ran: list[int] = []
    thread = threading.Thread(
        target=lambda: loop.call_from_thread(lambda: ran.append(threading.get_ident()))
    )
    thread.start()
    loop.dispatch(10.0)
    thread.join()
    assert ran == [threading.get_ident()]


def test_a_descriptor_removed_by_another_of_the_same_round_is_not_called(loop: StreamLoop) -> None:
    fds = [os.eventfd(1), os.eventfd(1)]
    called: list[int] = []

    def first_come(fd: int) -> None:
        called.append(fd)
        loop.remove(fds[1 - fds.index(fd)])

    for fd in fds:
        loop.add(fd, select.EPOLLIN, lambda _events, fd=fd: first_come(fd))  # type: ignore[misc]
    loop.dispatch()
    assert len(called) == 1
    for fd in fds:
        os.close(fd)


def test_an_event_is_not_told_to_who_has_its_descriptors_number_by_now(loop: StreamLoop) -> None:
    fds = [os.eventfd(1), os.eventfd(1)]
    told: list[str] = []

    def replace(fd: int) -> None:
        """Close the other one, whose event waits; what is opened then gets its number."""
        told.append("event")
        other = fds[1 - fds.index(fd)]
        loop.remove(other)
        os.close(other)
        assert os.eventfd(0) == other
        loop.add(other, select.EPOLLIN, lambda _: told.append("not its event"))
        loop.remove(fd)

    for fd in fds:
        loop.add(fd, select.EPOLLIN, lambda _events, fd=fd: replace(fd))  # type: ignore[misc]
    loop.dispatch()
    loop.dispatch()
    assert told == ["event"]
    for fd in fds:
        os.close(fd)


def test_timers_that_nobody_waits_for_are_not_kept_until_they_are_due(
    loop: StreamLoop, clock: Clock
) -> None:
    ran: list[int] = []
    for number in range(10_000):
        timer = loop.call_at(clock.now + 1_000_000 + number, lambda: ran.append(0))
        if number % 100:
            timer.cancel()
    assert len(loop._timers) <= 3 * 100
    clock.now += 2_000_000
    loop.dispatch()
    assert len(ran) == 100
