"""What one worker counts, and puts on the scoreboard that all workers share.

Runs in the worker's main thread; `read` may be called from others.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from framebus.rate_limited_log import RateLimitedLog

from web_workers.counts.shared_counts import SharedCounts
from web_workers.counts.worker_counts import DROPPED, Key, WorkerCounts, total

log = logging.getLogger("gunicorn.error")

_SAY_AGAIN_S = 10


class CountsPublisher:
    """One worker's."""

    def __init__(self, shared: SharedCounts, clock: Callable[[], int]) -> None:
        """`clock` gives monotonic nanoseconds."""
        self._shared = shared
        self._limited_log = RateLimitedLog(log, clock, every_s=_SAY_AGAIN_S)
        self._turned_away: Counter[Key] = Counter()
        self._too_long = False

    def refused(self, key: Key, text: str) -> None:
        """Count a viewer that was not admitted; the last of `key` is why."""
        self._turned_away[key] += 1
        self._limited_log.warning(key[-1], f"a viewer was refused: {text}")

    def dropped(self, reason: str) -> None:
        """Count a connection that was given up before or after its request."""
        self._turned_away[(DROPPED, reason)] += 1
        self._limited_log.warning(reason, f"a connection was dropped: {reason}")

    def write(self, worker_counts: Iterable[WorkerCounts]) -> None:
        """Tell all workers these, and what is counted here."""
        try:
            self._shared.write(total((WorkerCounts(dict(self._turned_away)), *worker_counts)))
        except ValueError as error:
            if not self._too_long:
                log.warning("no more cameras in /metrics: %s", error)
            self._too_long = True

    def read(self) -> tuple[WorkerCounts, int]:
        """Return what all workers that ever were have counted, and how many live."""
        return self._shared.read()
