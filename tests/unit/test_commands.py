"""The capture thread's command queue: order, what is left out, and the interrupt."""

from __future__ import annotations

import threading

import pytest

from capture_daemon.capturing.commands import (
    Close,
    Command,
    CommandQueue,
    Open,
    Quit,
    RestartStream,
    without_the_overtaken,
)
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest

PLAN = CaptureRequest(spec.parse("test"))


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
    queue.interrupt.close()


def test_an_interrupt_never_comes_after_its_command_was_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would end the call that the command began: a source "interrupted" for no reason."""
    queue = CommandQueue()
    may_set, plain = threading.Event(), queue.interrupt.set
    monkeypatch.setattr(queue.interrupt, "set", lambda: (may_set.wait(30), plain()))
    taken: list[Command] = []
    threads = [
        threading.Thread(target=queue.put, args=(Close(1),)),
        threading.Thread(target=lambda: taken.extend(queue.take(wait=True))),
    ]
    for thread in threads:
        thread.start()
    threads[1].join(0.1)  # it has the command by now, if it may
    may_set.set()
    for thread in threads:
        thread.join()
    assert taken == [Close(1)]
    assert queue.interrupt.wait(0) == frozenset()
    queue.interrupt.close()
