"""What the capture thread can be told, and the queue that carries it. Any thread puts, one takes.

A queue of commands, and not of wishes: each is carried out once, in order, by one thread; but a
command that a later one undoes is left out.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Protocol

from framebus.contract.words import Rejection, Rung

from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Interrupt


@dataclass(frozen=True, slots=True)
class Open:
    """Open the request's source as this session; ends in Opened or Failed."""

    session: int
    request: CaptureRequest


@dataclass(frozen=True, slots=True)
class RestartStream:
    """Restart the open stream of this session; ends in StreamRestarted, or Failed if the source
    cannot.
    """

    session: int


@dataclass(frozen=True, slots=True)
class Close:
    """Close whatever is open; ends in Closed."""

    session: int


@dataclass(frozen=True, slots=True)
class RunRung:
    """Close whatever is open and carry out a rung; ends in RungDone.

    It waits for a holder for `limit_s` seconds.
    """

    session: int
    rung: Rung
    limit_s: float


@dataclass(frozen=True, slots=True)
class Quit:
    """Close whatever is open, and end the thread."""

    leave: bool = False
    """Leave the device streaming for a successor, where somebody keeps it."""


Command = Open | RestartStream | Close | RunRung | Quit


@dataclass(frozen=True, slots=True)
class Observed:
    """What can be seen of the capture thread's work at one moment, without waiting for it.

    Times are CLOCK_MONOTONIC nanoseconds.
    """

    arrived_ns: int = 0
    """When the newest valid frame arrived; 0 if none yet."""
    rate: float = 0.0
    """The measured frames a second; 0 if unknown."""
    rejected: tuple[Rejection, ...] = ()
    """For what frames were rejected since the newest valid one, the most frequent reason first."""
    too_large: int = 0
    """Bytes of the largest frame that the ring did not take; 0: it took all."""
    unchanged_since_ns: int = 0
    """When the newest picture came for the first time; 0 if none yet."""
    doing: str = ""
    """The call into the source that is under way."""
    doing_since_ns: int | None = None
    """Since when; None while none is."""

    def blocked_s(self, now_ns: int) -> float:
        """Return for how many seconds the source has not returned; 0 if nothing is under way."""
        since_ns = self.doing_since_ns
        return 0.0 if since_ns is None else (now_ns - since_ns) / 1e9


class CaptureCommands(Protocol):
    """What the controller needs of the capture thread; every call returns at once."""

    def command(self, command: Command) -> None:
        """Have a command carried out."""

    def observed(self) -> Observed:
        """Return what can be seen of its work now."""


class CommandQueue:
    """Commands, and the interrupt that takes the thread out of a source's wait."""

    def __init__(self) -> None:
        self.interrupt = Interrupt()
        self._mutex = threading.Lock()
        """A command and its interrupt are put as one: an interrupt that came after its command was
        taken would end the very call that the command began."""
        self._waiting: queue.SimpleQueue[Command] = queue.SimpleQueue()

    def put(self, command: Command) -> None:
        """Add a command and interrupt the source."""
        with self._mutex:
            self._waiting.put(command)
            self.interrupt.set()

    def take(self, *, wait: bool) -> list[Command]:
        """Return the commands to carry out now; with `wait`, at least one."""
        if not wait and self._waiting.empty():
            return []
        commands = [self._waiting.get()] if wait else []
        with self._mutex:
            self.interrupt.clear()
            while not self._waiting.empty():
                commands.append(self._waiting.get())
        return without_the_overtaken(commands)


def without_the_overtaken(commands: list[Command]) -> list[Command]:
    """Leave out what a later command makes pointless.

    A camera opened only to be closed may drop off its bus; a rung may take seconds, and whatever
    comes after it is what is wanted now.
    """
    last = len(commands) - 1
    commands = [
        command
        for at, command in enumerate(commands)
        if at == last or not isinstance(command, RunRung)
    ]
    for at in range(len(commands) - 1, 0, -1):
        if isinstance(commands[at], Close | Quit):
            closes = [command for command in commands[:at] if isinstance(command, Close)]
            return [*closes, *commands[at:]]
    return commands
