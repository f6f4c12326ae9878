"""Counts what one worker's viewers of one camera came to, those that have left included. Pure.

Nothing here is called for each frame that is sent: what present viewers got, they know themselves,
and it is added up when somebody asks. A frame's age is noted once for all of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from web_workers.counts import worker_counts
from web_workers.counts.progress import Progress
from web_workers.counts.worker_counts import Closed, Key, WorkerCounts

AGE_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Upper bounds of the buckets of a frame's age; 0.035 is a frame interval at 30 a second."""
AGE_BOUNDS_NS = tuple(round(bound * 1e9) for bound in AGE_BOUNDS_S)


class Delivery(NamedTuple):
    """What became of the frames that were published since a viewer joined, or of several's."""

    sent: int = 0
    """Its sending has begun."""
    skipped: int = 0
    waiting: int = 0
    """1 for a viewer whose newest is neither: it still receives an older one."""
    bytes: int = 0
    """Sent, everything that was no frame included."""


class Tally:
    """The counts of one camera's viewers of one kind."""

    def __init__(self, progress: Progress | None = None) -> None:
        """Ages are counted in `progress`."""
        self._accepted = 0
        self._closed: Counter[Closed] = Counter()
        self._sent = self._skipped = self._bytes = 0  # of those that have left
        self._progress = progress or Progress()

    def joined(self) -> None:
        """Count a viewer that came."""
        self._accepted += 1

    def left(self, delivery: Delivery, why: Closed) -> None:
        """Count a viewer that went; what it was waiting for it will not get."""
        self._closed[why] += 1
        self._add(delivery, 1)
        self._skipped += delivery.waiting

    def moved_out(self, delivery: Delivery) -> None:
        """Keep what a viewer got here that goes to another worker, where it counts on."""
        self._add(delivery, 1)

    def moved_in(self, delivery: Delivery) -> None:
        """Take in a viewer that has got so much already, which another worker's tally keeps."""
        self._add(delivery, -1)

    def aged(self, age_ns: int) -> None:
        """Note how old a frame was when all who could take it had been given it."""
        self._progress.ages[bisect_left(AGE_BOUNDS_NS, age_ns)] += 1
        self._progress.age_ns += age_ns

    def worker_counts(
        self, camera: str, kind: str, viewers: int, present: Iterable[Delivery]
    ) -> WorkerCounts:
        """Return all of it, for viewers of `kind` at `camera`.

        So many are there now; `present` is what became of their frames, of each or of several.
        """
        sent, skipped, waiting, bytes_ = map(sum, zip(Delivery(), *present, strict=True))
        of = (camera, kind)
        counts: dict[Key, int] = {
            (worker_counts.ACCEPTED, *of): self._accepted,
            (worker_counts.BYTES, *of): self._bytes + bytes_,
            **{(worker_counts.CLOSED, *of, why.value): n for why, n in self._closed.items()},
        }
        now: dict[Key, int] = {(worker_counts.VIEWERS, *of): viewers}
        if kind == worker_counts.FRAMES:
            counts[(worker_counts.SENT, *of)] = self._sent + sent
            counts[(worker_counts.SKIPPED, *of)] = self._skipped + skipped
            counts[(worker_counts.AGE_NS, *of)] = self._progress.age_ns
            ages = enumerate(self._progress.ages)
            counts |= {(worker_counts.AGE, *of, str(i)): n for i, n in ages if n}
            now[(worker_counts.WAITING, *of)] = waiting
        return WorkerCounts(counts, now)

    def _add(self, delivery: Delivery, sign: int) -> None:
        self._sent += sign * delivery.sent
        self._skipped += sign * delivery.skipped
        self._bytes += sign * delivery.bytes
