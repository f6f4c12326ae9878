"""What all workers carry now, in memory that they share: viewers, and bytes a second.

    0        a random key
    HEADER   worker 0: viewers, bytes a second, then the same by address: TABLES x ROWS x BUCKETS
             worker 1: ...                                        (one word each, 64 bits)

Each worker writes its own part only and reads all, so nobody waits for anybody: a viewer is written
down first and then all parts are added up, and it is struck out again if that is too much. So two
that come last at one moment may both be sent away, and never are both let in. A part
whose worker is dead does not count (its lock tells, counts/scoreboard.py); the next owner clears
it.

Addresses are not kept. Each falls into one bucket of each row, by a keyed hash, and the lower of
the two sums is taken: too much only if it shares both buckets with others, which nobody can bring
about who does not know the key. So the memory is as large with a million addresses as with one.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable
from typing import NamedTuple

_KEY = 32  # bytes
_HEADER = mmap.PAGESIZE
_BUCKETS = 2048
_ROWS = 2
_VIEWERS, _RATE = 0, 1
_TABLE = 2 + _ROWS * _BUCKETS * 2  # words of one worker
_PART = -(-_TABLE * 8 // mmap.PAGESIZE) * mmap.PAGESIZE // 8


class Load(NamedTuple):
    """What is carried."""

    viewers: int
    rate: int
    """Bytes a second."""


def size(workers: int) -> int:
    """Return how many bytes it takes for so many workers takes; only what is used is ever backed
    by memory."""
    return _HEADER + workers * _PART * 8


def prepare(fd: int, at: int) -> None:
    """Make a new one at this offset of a file of zeros."""
    os.pwrite(fd, os.urandom(_KEY), at)


class SharedLoad:
    """It, in one process. Its caller sees to it that one thread at a time is in here."""

    def __init__(
        self, fd: int, at: int, *, workers: int, own: int | None, lives: Callable[[int], bool]
    ) -> None:
        """Map it, and clear the part `own`, which is this process's; None if it has none.

        `lives` tells whether the worker that has a part is alive.
        """
        self._map = mmap.mmap(fd, size(workers), offset=at)
        self._key = self._map[:_KEY]
        self._words = memoryview(self._map).cast("Q")
        self._others = [
            (number, _HEADER // 8 + number * _PART) for number in range(workers) if number != own
        ]
        self._lives = lives
        if own is None:
            self._own = memoryview(bytearray(_TABLE * 8)).cast("Q")
        else:
            start = _HEADER // 8 + own * _PART
            self._own = self._words[start : start + _TABLE]
            self._map[start * 8 : (start + _TABLE) * 8] = bytes(_TABLE * 8)

    def add(self, origin: str, viewers: int, rate: int) -> None:
        """Write down so many viewers and bytes a second more; less, if they are negative."""
        for at in (0, *self._places(origin)):
            self._own[at + _VIEWERS] += viewers
            self._own[at + _RATE] += rate

    def total(self) -> Load:
        """Return what all living workers carry."""
        return self._sum(0)

    def of(self, origin: str) -> Load:
        """Return what they carry for one address, or more if its buckets are shared."""
        first, second = (self._sum(at) for at in self._places(origin))
        return Load(min(first.viewers, second.viewers), min(first.rate, second.rate))

    @property
    def own(self) -> Load:
        """What this worker carries."""
        return Load(self._own[_VIEWERS], self._own[_RATE])

    def close(self) -> None:
        """Unmap it."""
        self._own.release()
        self._words.release()
        self._map.close()

    def _sum(self, at: int) -> Load:
        viewers, rate = self._own[at + _VIEWERS], self._own[at + _RATE]
        for number, start in self._others:
            more = self._words[start + at + _VIEWERS]
            if more and self._lives(number):
                viewers += more
                rate += self._words[start + at + _RATE]
        return Load(viewers, rate)

    def _places(self, origin: str) -> tuple[int, ...]:
        """Return where an address' two words are, in each row."""
        digest = hashlib.blake2b(origin.encode(), key=self._key, digest_size=4 * _ROWS).digest()
        return tuple(
            2 + 2 * (row * _BUCKETS + int.from_bytes(digest[4 * row : 4 * row + 4]) % _BUCKETS)
            for row in range(_ROWS)
        )
