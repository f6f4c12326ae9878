"""Logs what happens a thousand times a second once in a while, with how often it was."""

from __future__ import annotations

import logging
from collections.abc import Callable

EVERY_NS = 10_000_000_000


class RateLimitedLog:
    """For one thread."""

    def __init__(self, log: logging.Logger, clock: Callable[[], int]) -> None:
        """`clock` gives monotonic nanoseconds."""
        self._log = log
        self._clock = clock
        self._told: dict[str, tuple[int, int]] = {}  # by word: when last, how often since

    def tell(self, word: str, text: str) -> None:
        """Log `text`, unless `word` was told in the last ten seconds; then only count it."""
        now = self._clock()
        since_ns, untold = self._told.get(word, (now - EVERY_NS, 0))
        if now - since_ns < EVERY_NS:
            self._told[word] = (since_ns, untold + 1)
            return
        self._told[word] = (now, 0)
        more = f" ({untold} times more since this was last said)" if untold else ""
        self._log.warning("%s%s", text, more)
