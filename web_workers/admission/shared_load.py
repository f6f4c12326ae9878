"""How many viewers all workers carry, and how many bytes a second, in all and of each address.

    pid, viewers, bytes a second: a word each of the worker table's column LOAD
    then HASHES rows of BUCKETS buckets, each the same two words

Each worker writes its own part only and reads all, so nobody waits for anybody: a viewer is written
down first and looked at afterwards, so that no two can be let in over a limit. For the same reason
two that come last at one moment may both be sent away, and never are both let in. A part whose
worker is dead does not count; the next owner clears it.

Addresses are not kept. Each falls into one bucket of each row, by a keyed hash, and the lower of
the two sums is taken (a count-min sketch): too much only if it shares both buckets with others,
which nobody can bring about who does not know the key. So the memory is as large with a million
addresses as with one.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from web_workers.worker_table import BUCKETS, HASHES, LOAD, WorkerTable

_PID, _TOTAL, _FIRST = 0, 1, 3
_VIEWERS, _RATE = 0, 1


class Load(NamedTuple):
    """What is carried."""

    viewers: int
    rate: int
    """Bytes a second."""


class SharedLoad:
    """The column, in one process. Its caller sees to it that one thread at a time is in here."""

    def __init__(self, table: WorkerTable) -> None:
        """Clear this process's part, which whoever had its row before may have left."""
        self._table = table
        self._key = table.key
        self._own = table.own(LOAD)
        self._own[:] = memoryview(bytes(LOAD.stride)).cast("Q")
        self._own[_PID] = table.pid

    def add(self, origin: str, viewers: int, rate: int) -> None:
        """Write down so many viewers and bytes a second more; less, if they are negative."""
        for at in (_TOTAL, *self._buckets(origin)):
            self._own[at + _VIEWERS] += viewers
            self._own[at + _RATE] += rate

    def total(self) -> Load:
        """Return what all living workers carry."""
        return self._sum(_TOTAL)

    def of(self, origin: str) -> Load:
        """Return what they carry for one address, or more if its buckets are shared."""
        first, second = (self._sum(at) for at in self._buckets(origin))
        return Load(min(first.viewers, second.viewers), min(first.rate, second.rate))

    @property
    def own(self) -> Load:
        """What this worker carries."""
        return Load(*self._own[_TOTAL:_FIRST])

    def _sum(self, at: int) -> Load:
        viewers, rate = self._own[at + _VIEWERS], self._own[at + _RATE]
        for row in self._table.rows():
            if row == self._table.row:
                continue
            words = self._table.words(LOAD, row)
            more = words[at + _VIEWERS]
            if more and self._table.lives(row, words[_PID]):
                viewers += more
                rate += words[at + _RATE]
        return Load(viewers, rate)

    def _buckets(self, origin: str) -> tuple[int, ...]:
        """Return where an address' two words are, in each row."""
        digest = hashlib.blake2b(origin.encode(), key=self._key, digest_size=4 * HASHES).digest()
        return tuple(
            _FIRST + 2 * (row * BUCKETS + int.from_bytes(digest[4 * row : 4 * row + 4]) % BUCKETS)
            for row in range(HASHES)
        )
