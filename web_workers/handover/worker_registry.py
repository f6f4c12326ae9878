"""Which workers live, what they do, and how many viewers each has, for their own decisions of now.

    pid, age, state, viewers, lost, seen: a word each of the worker table's column STATUS

Each word is written whenever it changes, and by itself; pid is the last one that a new owner of a
row writes. `lost` counts, through all owners of a row, how often viewers lost their connection
through no doing of their own.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from web_workers.worker_table import STATUS, WorkerTable

_PID, _AGE, _STATE, _VIEWERS, _LOST, _SEEN = range(6)


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


class WorkerRegistry:
    """The column, in one process: after its row was claimed."""

    def __init__(self, table: WorkerTable) -> None:
        self._table = table
        self._own = table.own(STATUS)

    @property
    def newest_age(self) -> int:
        """The age of the last worker that was started."""
        return self._table.newest_age

    def enter(self, age: int) -> None:
        """Say that this process is a worker of that age, which is being started."""
        own = self._own
        if own[_STATE] in _HAS_VIEWERS:
            own[_LOST] += 1  # the owner of the row before this one was killed
        own[_STATE] = WorkerState.BOOTING
        own[_VIEWERS] = 0
        own[_AGE] = age
        own[_PID] = self._table.pid

    def tell(self, state: WorkerState) -> None:
        """Say what this worker does now."""
        self._own[_STATE] = state

    def has(self, viewers: int) -> None:
        """Say how many viewers this worker has."""
        self._own[_VIEWERS] = viewers

    def seen(self, now_ns: int) -> None:
        """Say that this worker came round its loop."""
        self._own[_SEEN] = now_ns

    def lose(self) -> None:
        """Say that viewers of this worker lost their connection through no doing of theirs."""
        self._own[_LOST] += 1

    def lost(self) -> int:
        """How often that happened in all workers that ever were, killed ones included."""
        total = 0
        for row in self._table.rows():
            pid, _, state, _, lost, *_ = self._table.words(STATUS, row)
            total += lost + (state in _HAS_VIEWERS and not self._table.lives(row, pid))
        return total

    def peers(self) -> list[Peer]:
        """Return the other workers that live."""
        found = []
        for row in self._table.rows():
            pid, age, state, viewers, _, seen_ns, *_ = self._table.words(STATUS, row)
            if row == self._table.row or state == WorkerState.OVER:
                continue
            if self._table.lives(row, pid):
                found.append(Peer(pid, age, WorkerState(state), viewers, seen_ns))
        return found
