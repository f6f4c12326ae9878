"""Which workers there are, what they do, and how many viewers each has: memory that all share.

    word 0   age of the last worker that was started
    row 0    pid, age, state, viewers, lost, seen: a word each
    row 1    ...

gunicorn's master makes it and its workers inherit it, as with the scoreboard: but this is for their
own decisions of this moment, so each word is written whenever it changes, and by itself. A worker
has the lowest row that no living process has, by a lock on the row's byte, which the kernel drops
with the process. `lost` counts, through all owners of a row, how often viewers lost their
connection through no doing of their own.
"""

from __future__ import annotations

import enum
import fcntl
import mmap
import os
from collections.abc import Iterator
from typing import NamedTuple

from framebus.liveness import lock_holder

ROWS = 512
"""Workers at a time: `--workers` takes 64, and some generations of them may be ending."""
_FIRST = 8  # words before the first row
_PID, _AGE, _STATE, _VIEWERS, _LOST, _SEEN = range(6)
_WORDS = 8
SIZE = 8 * (_FIRST + ROWS * _WORDS)


class WorkerState(enum.IntEnum):
    """What a worker does."""

    BOOTING = 1
    SERVING = 2
    ENDING = 3
    OVER = 4
    """It has ended in good order."""


_HAS_VIEWERS = frozenset({WorkerState.SERVING, WorkerState.ENDING})


class Peer(NamedTuple):
    """Another worker that lives."""

    pid: int
    age: int
    state: WorkerState
    viewers: int
    seen_ns: int
    """When it last came round its loop, monotonic."""


def create_memory() -> int:
    """Make the memory and return its descriptor: in the master, before any worker."""
    fd = os.memfd_create("framebus-workers", os.MFD_CLOEXEC)
    os.ftruncate(fd, SIZE)
    return fd


class WorkerRegistry:
    """The memory, in one process. A worker never closes it: its lock would be gone."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._words = memoryview(mmap.mmap(fd, SIZE)).cast("Q")
        self._own: int | None = None

    @property
    def newest_age(self) -> int:
        """The age of the last worker that was started."""
        return self._words[0]

    def started(self, age: int) -> None:
        """Note that a worker is about to be started: in the master."""
        self._words[0] = age

    def claim(self, age: int) -> None:
        """Take a row for this process until it ends. A second time it is the same one."""
        for row in self._candidates():
            try:
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, row)
            except (BlockingIOError, PermissionError):
                continue
            at = _at(row)
            if self._words[at + _STATE] in _HAS_VIEWERS:
                self._words[at + _LOST] += 1  # the owner before this one was killed
            self._words[at + _STATE] = WorkerState.BOOTING
            self._words[at + _VIEWERS] = 0
            self._words[at + _AGE] = age
            self._words[at + _PID] = os.getpid()
            self._own = at
            return
        raise RuntimeError(f"more than {ROWS} workers at a time")

    def tell(self, state: WorkerState) -> None:
        """Say what this worker does now."""
        self._set(_STATE, state)

    def has(self, viewers: int) -> None:
        """Say how many viewers this worker has."""
        self._set(_VIEWERS, viewers)

    def seen(self, now_ns: int) -> None:
        """Say that this worker came round its loop."""
        self._set(_SEEN, now_ns)

    def lose(self) -> None:
        """Say that viewers of this worker lost their connection through no doing of theirs."""
        if self._own is not None:
            self._words[self._own + _LOST] += 1

    def lost(self) -> int:
        """How often that happened in all workers that ever were, killed ones included."""
        total = 0
        for row, at in self._used():
            total += self._words[at + _LOST]
            if self._words[at + _STATE] in _HAS_VIEWERS:
                total += not self._lives(row, at)
        return total

    def peers(self) -> list[Peer]:
        """Return the other workers that live."""
        found = []
        for row, at in self._used():
            state = self._words[at + _STATE]
            if at == self._own or state == WorkerState.OVER or not self._lives(row, at):
                continue
            pid, age, _, viewers, _, seen_ns = self._words[at : at + 6]
            found.append(Peer(pid, age, WorkerState(state), viewers, seen_ns))
        return found

    def _used(self) -> list[tuple[int, int]]:
        """The rows that were ever claimed, each with its first word: they are the first ones."""
        used = []
        for row in range(ROWS):
            at = _at(row)
            if not self._words[at + _PID]:
                break
            used.append((row, at))
        return used

    def _candidates(self) -> Iterator[int]:
        """The rows that may be this process's, one that has its number already first."""
        own = os.getpid()
        yield from (row for row, at in self._used() if self._words[at + _PID] == own)
        yield from range(ROWS)

    def _lives(self, row: int, at: int) -> bool:
        return at == self._own or lock_holder(self._fd, row, 1) == self._words[at + _PID]

    def _set(self, word: int, value: int) -> None:
        if self._own is not None:
            self._words[self._own + word] = value


def _at(row: int) -> int:
    return _FIRST + row * _WORDS
