"""Logs what a caller can provoke again and again once in a while, with how often it was. Pure.

The web tier has the like for its workers (web_workers/admission/rate_limited_log.py). Root's
process serves with the standard library alone, so they are two.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

EVERY_NS = 60_000_000_000
_REMEMBERED = 256


class Complaints:
    """For one thread."""

    def __init__(self, log: logging.Logger, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """`clock` gives monotonic nanoseconds."""
        self._log = log
        self._clock = clock
        self._told: OrderedDict[Hashable, tuple[int, int]] = OrderedDict()

    def tell(self, about: Hashable, text: str) -> None:
        """Log `text`, unless that was done `about` the same in the last minute: it counts then."""
        now_ns = self._clock()
        since_ns, untold = self._told.get(about, (now_ns - EVERY_NS, 0))
        if now_ns - since_ns < EVERY_NS:
            self._told[about] = (since_ns, untold + 1)
            return
        self._told.pop(about, None)
        self._told[about] = (now_ns, 0)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        more = f" ({untold} times more since this was last said)" if untold else ""
        self._log.warning("%s%s", text, more)
