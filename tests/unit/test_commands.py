"""The capture thread's command queue: order, what is left out, and the interrupt."""

from __future__ import annotations

from capture_daemon.commands import (
    Close,
    Command,
    CommandQueue,
    Open,
    Quit,
    RestartStream,
    without_the_overtaken,
)
from capture_daemon.plan import Plan
from capture_daemon.sources import spec

PLAN = Plan(spec.parse("test"))


def test_a_camera_is_not_opened_only_to_be_closed() -> None:
    commands: list[Command] = [Open(1, PLAN), Close(2), Open(3, PLAN), Close(4), Open(5, PLAN)]
    assert without_the_overtaken(commands) == [Close(2), Close(4), Open(5, PLAN)]


def test_quitting_overtakes_everything_but_closing() -> None:
    commands: list[Command] = [RestartStream(1), Close(2), Open(3, PLAN), Quit()]
    assert without_the_overtaken(commands) == [Close(2), Quit()]


def test_what_nothing_overtakes_is_kept_in_order() -> None:
    commands: list[Command] = [Close(1), Open(2, PLAN), RestartStream(2)]
    assert without_the_overtaken(commands) == commands


def test_a_command_interrupts_the_source_until_it_is_taken() -> None:
    queue = CommandQueue()
    assert queue.take(wait=False) == []
    queue.put(Close(1))
    assert queue.interrupt.wait(0) == {queue.interrupt.fileno()}
    assert queue.take(wait=False) == [Close(1)]
    assert queue.interrupt.wait(0) == frozenset()
    queue.close()
