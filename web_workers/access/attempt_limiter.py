"""Limits wrong tries at the secret, per address, without making anything wait. Thread-safe.

Each worker counts for itself. A token cannot be guessed anyway (256 bits); this is for passwords.
Tries in an address (`/?token=`) count apart from those in a header: a page of somebody else can
make a browser send the former, and so use up what there is of them, but never the latter.
"""

from __future__ import annotations

import enum
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from web_workers.admission.origin import origin

AT_ONCE = 10
"""Wrong tries that an address has at the beginning."""
AGAIN_S = 6.0
"""After so many seconds it has one more."""
ADDRESSES = 4096
"""How many are remembered, those that tried last."""


class Way(enum.Enum):
    """How a secret was said."""

    HEADER = "header"
    FOREIGN_HEADER = "foreign-header"
    """By a page of another site, or by who says that it is one."""
    URL = "url"
    FOREIGN_URL = "foreign-url"


class AttemptLimiter:
    """Wrong tries by address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin; `clock` gives monotonic seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at: OrderedDict[tuple[str, Way], float] = OrderedDict()
        """When each address will have all its tries back, seconds."""

    def wait_s(self, address: str, way: Way = Way.HEADER) -> float:
        """Return after how many seconds this address may try that way, 0 for now."""
        with self._lock:
            left_s = self._free_at.get((origin(address), way), 0.0) - self._clock()
        return max(0.0, left_s - (AT_ONCE - 1) * AGAIN_S)

    def wrong(self, address: str, way: Way = Way.HEADER) -> None:
        """Count a wrong try."""
        who, now = (origin(address), way), self._clock()
        with self._lock:
            self._free_at[who] = max(now, self._free_at.pop(who, 0.0)) + AGAIN_S
            while len(self._free_at) > ADDRESSES:
                self._free_at.popitem(last=False)
