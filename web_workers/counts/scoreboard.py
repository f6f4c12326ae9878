"""Where all workers' counts lie: memory that gunicorn's master makes and its workers inherit.

    0        one word a slot: 0 while it was never written, else how often it was
    HEADER   slot 0, half 0 ┐ length, CRC-32, writer's pid (a word each), then the counts' text
             slot 0, half 1 ┘ writing number n is in half n % 2, so the other one is always whole
             slot 1, half 0
             ...
    _SIZE    who is let in (admission/shared_load.py), a part a slot

A worker claims the lowest slot that no living process has, and counts on from what its dead owner
had counted: nothing that was told is ever taken back, however a worker ended, and there are no
more slots than there were workers at a time. A lock on the slot's byte tells whether its owner
lives; the kernel drops it with the process.

There is no file: the memory has no name (memfd), needs no directory that the web tier may write
(it has none), and is gone with the last process. prometheus_client's own way, a file for each
process id and kind of metric, keeps the counters of every worker that ever was, for ever.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import zlib

from framebus.liveness import lock_holder

from web_workers.admission import shared_load
from web_workers.counts.worker_counts import WorkerCounts, parsed, total

SLOTS = 128
"""Workers at a time: the most that `--workers` takes, and as many again while they are replaced."""
_HEADER = mmap.PAGESIZE
_HALF = 1 << 18  # bytes, only touched where they are used; a camera takes about one thousand
_HEAD = struct.Struct("@QQQ")  # length, CRC-32 of pid and text, pid
_SIZE = _HEADER + 2 * SLOTS * _HALF
_TRIES = 100


class Scoreboard:
    """The memory, in one process."""

    def __init__(self, fd: int) -> None:
        """Map the memory behind `fd`, which must stay open as long as the process lives."""
        self.fd = fd
        self._map = mmap.mmap(fd, _SIZE)
        self._written = memoryview(self._map).cast("Q")
        self._own: int | None = None

    @classmethod
    def create(cls) -> Scoreboard:
        """Make an empty one: in the master, before any worker."""
        fd = os.memfd_create("framebus-scoreboard", os.MFD_CLOEXEC)
        os.ftruncate(fd, _SIZE + shared_load.size(SLOTS))
        shared_load.prepare(fd, _SIZE)
        return cls(fd)

    def close(self) -> None:
        """Unmap it, and close the descriptor. A process that claimed a slot never needs to."""
        self._written.release()
        self._map.close()
        os.close(self.fd)

    def claim(self) -> Slot | None:
        """Take a slot for this process until it ends; None when all are taken.

        Once a process: a second claim would be granted the same one.
        """
        for number in range(SLOTS):
            try:
                fcntl.lockf(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            except (BlockingIOError, PermissionError):
                continue
            _, before = self._read(number)
            self._own = number
            slot = Slot(self, number, before.settled())
            slot.write(WorkerCounts())
            return slot
        return None

    def shared_load(self) -> shared_load.SharedLoad:
        """Return who is let in, as this process writes it: once a process, after `claim`."""
        return shared_load.SharedLoad(
            self.fd,
            _SIZE,
            workers=SLOTS,
            own=self._own,
            lives=lambda number: bool(lock_holder(self.fd, number, 1)),
        )

    def read(self) -> tuple[WorkerCounts, int]:
        """Return what all workers that ever were have counted, and how many live. Any thread."""
        found, living = [], 0
        for number in range(SLOTS):
            if not self._written[number]:
                continue
            pid, worker_counts = self._read(number)
            # Asked after it was read: a writer that is dead now writes nothing newer.
            lives = number == self._own or pid == lock_holder(self.fd, number, 1)
            living += lives
            found.append(worker_counts if lives else worker_counts.settled())
        return total(found), living

    def write(self, number: int, worker_counts: WorkerCounts) -> None:
        """Put the counts of this process into its slot. Raises ValueError if they are too long."""
        text = worker_counts.text()
        if len(text) > _HALF - _HEAD.size:
            raise ValueError(f"{len(text)} bytes of counts, and {_HALF - _HEAD.size} have room")
        writing = self._written[number] + 1
        at = _half(number, writing)
        pid = os.getpid()
        self._map[at : at + _HEAD.size] = _HEAD.pack(len(text), zlib.crc32(text, pid), pid)
        self._map[at + _HEAD.size : at + _HEAD.size + len(text)] = text
        self._written[number] = writing

    def _read(self, number: int) -> tuple[int, WorkerCounts]:
        """Return a slot's writer and its counts."""
        for _ in range(_TRIES):
            writing = self._written[number]
            if not writing:
                return 0, WorkerCounts()
            at = _half(number, writing)
            length, check, pid = _HEAD.unpack(self._map[at : at + _HEAD.size])
            text = self._map[at + _HEAD.size : at + _HEAD.size + length]
            if zlib.crc32(text, pid) == check:
                return pid, parsed(text)
        raise RuntimeError(f"slot {number} of the scoreboard cannot be read")


class Slot:
    """One worker's place on the scoreboard."""

    def __init__(self, board: Scoreboard, number: int, carried: WorkerCounts) -> None:
        """Take over a slot; `carried` is what its owners before this one had counted."""
        self.number = number
        self._board = board
        self._carried = carried

    def write(self, worker_counts: WorkerCounts) -> None:
        """Tell what this worker has counted by now. Raises ValueError if it is too long."""
        self._board.write(self.number, total((self._carried, worker_counts)))


def _half(slot: int, writing: int) -> int:
    return _HEADER + (2 * slot + writing % 2) * _HALF
