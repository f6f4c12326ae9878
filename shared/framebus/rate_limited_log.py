"""Logs what others can provoke again and again once in a while, with how often it was.

Standard library only: the privileged helper, which is root, uses it too.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

_REMEMBERED = 256


class RateLimitedLog:
    """For one thread."""

    def __init__(
        self,
        log: logging.Logger,
        clock: Callable[[], int] = time.monotonic_ns,
        *,
        every_s: int,
    ) -> None:
        """`clock` gives monotonic nanoseconds; the same is said once in `every_s` seconds."""
        self._log = log
        self._clock = clock
        self._every_ns = every_s * 1_000_000_000
        self._said: OrderedDict[Hashable, tuple[int, int]] = OrderedDict()
        """By what they were about: when it was last said, and how often it happened since."""

    def warning(self, about: Hashable, text: str) -> None:
        """Log `text`, unless something `about` the same was said lately: then only count it."""
        now_ns = self._clock()
        since_ns, unsaid = self._said.get(about, (now_ns - self._every_ns, 0))
        if now_ns - since_ns < self._every_ns:
            self._said[about] = (since_ns, unsaid + 1)
            return
        self._said.pop(about, None)
        self._said[about] = (now_ns, 0)
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        more = f" ({unsaid} times more since this was last said)" if unsaid else ""
        self._log.warning("%s%s", text, more)
