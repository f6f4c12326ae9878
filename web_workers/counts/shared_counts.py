"""What all workers have counted, each in its row of the worker table's column COUNTS.

    word 0   how often the row was written
    _FIRST   half 0 ┐ length, CRC-32, writer's pid (a word each), then WorkerCounts' text
             half 1 ┘ writing number n is in half n % 2, so the other one is always whole

A worker counts on from what the dead owner of its row had counted: nothing that was told is ever
taken back, however a worker ended. prometheus_client's own way, a file for each process id and kind
of metric, keeps the counters of every worker that ever was, for ever.
"""

from __future__ import annotations

import struct
import zlib

from web_workers.counts.worker_counts import WorkerCounts, parsed, total
from web_workers.worker_table import COUNTS, HALF, WorkerTable

_FIRST = COUNTS.stride - 2 * HALF
_HEAD = struct.Struct("@QQQ")  # length, CRC-32 of pid and text, pid
_TRIES = 100


class SharedCounts:
    """The column, in one process, which is written in one thread: once a process."""

    def __init__(self, table: WorkerTable) -> None:
        """Take over what the owners of this process's row before it had counted."""
        self._table = table
        self._own = table.own(COUNTS)
        self._before = _read(self._own)[1].settled()
        self.write(WorkerCounts())

    def read(self) -> tuple[WorkerCounts, int]:
        """Return what all workers that ever were have counted, and how many live. Any thread."""
        found, living = [], 0
        for row in self._table.rows():
            pid, counts = _read(self._table.words(COUNTS, row))
            # Asked after it was read: a writer that is dead now writes nothing newer.
            lives = self._table.lives(row, pid)
            living += lives
            found.append(counts if lives else counts.settled())
        return total(found), living

    def write(self, counts: WorkerCounts) -> None:
        """Tell what this worker has counted by now. Raises ValueError if it is too long."""
        text = total((self._before, counts)).text()
        if len(text) > HALF - _HEAD.size:
            raise ValueError(f"{len(text)} bytes of counts, and {HALF - _HEAD.size} have room")
        writing = self._own[0] + 1
        pid = self._table.pid
        half = _half(self._own, writing)
        half[: _HEAD.size] = _HEAD.pack(len(text), zlib.crc32(text, pid), pid)
        half[_HEAD.size : _HEAD.size + len(text)] = text
        self._own[0] = writing


def _read(words: memoryview) -> tuple[int, WorkerCounts]:
    """Return a row's writer and its counts."""
    for _ in range(_TRIES):
        writing = words[0]
        if not writing:
            return 0, WorkerCounts()
        half = _half(words, writing)
        length, check, pid = _HEAD.unpack_from(half)
        text = bytes(half[_HEAD.size : _HEAD.size + length])
        if zlib.crc32(text, pid) == check:
            return pid, parsed(text)
    raise RuntimeError("the counts of a worker cannot be read")


def _half(words: memoryview, writing: int) -> memoryview:
    at = _FIRST + writing % 2 * HALF
    return words.cast("B")[at : at + HALF]
