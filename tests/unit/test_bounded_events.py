"""Many descriptors that are ready at once hold up what else the loop has to do by a few only."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

import pytest

from web_workers.wire.bounded_events import MOST, BoundedEvents
from web_workers.wire.loop import StreamLoop


@pytest.fixture
def loop() -> Iterator[StreamLoop]:
    loop = StreamLoop()
    yield loop
    loop.close()


@pytest.fixture
def events(loop: StreamLoop) -> Iterator[BoundedEvents]:
    events = BoundedEvents(loop)
    yield events
    events.close()


@pytest.fixture
def ready() -> Iterator[list[int]]:
    """Descriptors that are ready for reading for ever."""
    fds = [os.eventfd(1) for _ in range(3 * MOST)]
    yield fds
    for fd in fds:
        os.close(fd)


def test_a_few_are_served_in_a_round_and_each_has_its_turn(
    loop: StreamLoop, events: BoundedEvents, ready: list[int]
) -> None:
    order: list[int] = []
    for fd in ready:
        events.add(fd, select.EPOLLIN, lambda _, fd=fd: order.append(fd))  # type: ignore[misc]
    loop.dispatch()
    assert len(order) == MOST
    loop.dispatch()
    loop.dispatch()
    assert sorted(order) == sorted(ready)
    for fd in ready:
        events.remove(fd)
    loop.dispatch()
    assert len(order) == 3 * MOST


def test_what_the_loop_itself_has_is_served_in_each_round(
    loop: StreamLoop, events: BoundedEvents, ready: list[int]
) -> None:
    order: list[str] = []
    frame = os.eventfd(1)
    loop.add(frame, select.EPOLLIN, lambda _: order.append("frame"))
    for fd in ready:
        events.add(fd, select.EPOLLIN, lambda _: order.append("request"))
    for _ in range(3):
        loop.dispatch()
    assert order.count("frame") == 3
    assert order.count("request") == 3 * MOST
    loop.remove(frame)
    os.close(frame)


def test_one_that_another_has_removed_is_not_called(
    loop: StreamLoop, events: BoundedEvents, ready: list[int]
) -> None:
    called: list[int] = []
    first, second = ready[:2]

    def remove(fd: int, other: int) -> None:
        called.append(fd)
        events.remove(other)

    events.add(first, select.EPOLLIN, lambda _: remove(first, second))
    events.add(second, select.EPOLLIN, lambda _: remove(second, first))
    loop.dispatch()
    assert len(called) == 1


def test_calls_for_soon_are_made_a_few_in_a_round_in_their_order(
    loop: StreamLoop, events: BoundedEvents
) -> None:
    made: list[int] = []
    for number in range(2 * MOST + 1):
        events.soon(lambda number=number: made.append(number))  # type: ignore[misc]
    for count in (MOST, 2 * MOST, 2 * MOST + 1, 2 * MOST + 1):
        loop.dispatch()
        assert made == list(range(count))


def test_a_call_that_asks_for_another_one_waits_for_the_others(
    loop: StreamLoop, events: BoundedEvents
) -> None:
    made: list[str] = []

    def again() -> None:
        made.append("again")
        events.soon(again)

    events.soon(again)
    events.soon(lambda: made.append("other"))
    loop.dispatch()
    loop.dispatch()
    assert made == ["again", "other", "again"]


def test_other_events_can_be_awaited(
    loop: StreamLoop, events: BoundedEvents, ready: list[int]
) -> None:
    called: list[int] = []
    events.add(ready[0], select.EPOLLIN, called.append)
    events.change(ready[0], select.EPOLLOUT)
    loop.dispatch()
    assert called == [select.EPOLLOUT]
