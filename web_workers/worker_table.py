"""Which workers there are and what each tells of itself: one table in memory that all share.

    word 0   age of the last worker that was started
    KEY      random: by it addresses are hashed
    CLAIMED  a byte a row: whether it ever had an owner
    STATUS   what each worker does now                  (handover/worker_registry.py)
    LOAD     the viewers that each has let in           (admission/shared_load.py)
    COUNTS   what each has counted, for /metrics        (counts/shared_counts.py)

A column lies together, row after row; what is in a row, the module beside it knows. A worker has
the lowest row that no living process had, so there are no more of them than there were workers at a
time. It writes its own row alone and reads all, so nobody waits for anybody. A lock on the row's
byte tells whether the owner lives: the kernel drops it with the process. What it has left there
stays as it was, until the next owner takes that over; so each column says whose it is (`lives`).

gunicorn's master makes the memory and its workers inherit it. It has no name (memfd), needs no
directory that the web tier may write (it has none), and is gone with the last process. Only what is
written is ever backed by memory.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from typing import NamedTuple

from framebus.liveness import lock_holder

ROWS = 512
"""Workers at a time: `--workers` takes 64, and some generations of them may be ending."""
HALF = 1 << 18
"""Bytes of one of a row's two texts of counts; a camera takes about one thousand."""
BUCKETS = 2048
HASHES = 2
_PAGE = mmap.PAGESIZE
_KEY, _KEY_END = 8, 40  # bytes
_CLAIMED = 512


class Column(NamedTuple):
    """Where a column begins, and how many bytes of it each row has: a multiple of 8."""

    start: int
    stride: int

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return -(-(self.start + ROWS * self.stride) // _PAGE) * _PAGE


STATUS = Column(_PAGE, 64)
LOAD = Column(STATUS.end, -(-8 * (3 + HASHES * BUCKETS * 2) // _PAGE) * _PAGE)
COUNTS = Column(LOAD.end, _PAGE + 2 * HALF)


def create_memory() -> int:
    """Make the memory and return its descriptor: in the master, before any worker."""
    fd = os.memfd_create("framebus-workers", os.MFD_CLOEXEC)
    os.ftruncate(fd, COUNTS.end)
    os.pwrite(fd, os.urandom(_KEY_END - _KEY), _KEY)
    return fd


class WorkerTable:
    """The table, in one process. A worker keeps it to its end: with any mapping of it, or copy of
    its descriptor, that is closed, its lock is gone (fcntl(2))."""

    def __init__(self, fd: int, *, row: int | None = None) -> None:
        """Map what is behind `fd`; `row` is the one that this process has claimed already."""
        self._fd = fd
        self._map = mmap.mmap(fd, COUNTS.end)
        self._words = memoryview(self._map).cast("Q")
        self.row = row
        """This process's; None until `claim`."""
        self.pid = os.getpid()
        """Whose it is then."""

    @property
    def key(self) -> bytes:
        """What addresses are hashed by, the same in all workers and secret to everybody else."""
        return self._map[_KEY:_KEY_END]

    @property
    def newest_age(self) -> int:
        """The age of the last worker that was started."""
        return self._words[0]

    def started(self, age: int) -> None:
        """Note that a worker is about to be started: in the master."""
        self._words[0] = age

    def claim(self) -> int:
        """Take a row for this process until it ends, once, and return its number."""
        for row in range(ROWS):
            try:
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, row)
            except (BlockingIOError, PermissionError):
                continue
            self._map[_CLAIMED + row] = 1
            self.row, self.pid = row, os.getpid()
            return row
        raise RuntimeError(f"more than {ROWS} workers at a time")

    def rows(self) -> range:
        """Return the rows that ever had an owner: they are the first ones."""
        return range(self._map.find(b"\0", _CLAIMED, _CLAIMED + ROWS + 1) - _CLAIMED)

    def lives(self, row: int, pid: int) -> bool:
        """Whether the process `pid`, which wrote something into a row, lives and has that row."""
        owner = self.pid if row == self.row else lock_holder(self._fd, row, 1)
        return owner == pid != 0

    def words(self, column: Column, row: int) -> memoryview:
        """Return what a row has of a column, as 64-bit words."""
        start = column.start + row * column.stride
        return self._words[start // 8 : (start + column.stride) // 8]

    def own(self, column: Column) -> memoryview:
        """Return the same of this process's row; without one, words that nobody else sees."""
        if self.row is None:
            return memoryview(bytearray(column.stride)).cast("Q")
        return self.words(column, self.row)
