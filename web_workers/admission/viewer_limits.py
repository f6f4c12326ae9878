"""Lets viewers in, or says why not. Who is in stays in, whatever the others come to.

A viewer is admitted from before it is answered until it has left, so that no burst slips through
while connections are handed over. Limits are all workers' together (shared_load.py). Of bytes a
second what the viewer will take is counted, until that can be measured.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable

from framebus.errors import FramebusError
from framebus.options.chosen import Chosen
from framebus.options.table import (
    MAX_RATE,
    MAX_RATE_PER_ADDRESS,
    MAX_VIEWERS,
    MAX_VIEWERS_PER_ADDRESS,
)

from web_workers.admission.origin import origin
from web_workers.admission.shared_load import SharedLoad

RETRY_AFTER_S = 10
MEASURE_NS = 2_000_000_000
"""Over how long a viewer's bytes a second are measured, at least."""


class RefusalReason(enum.Enum):
    """Why a viewer is not let in."""

    VIEWERS = "too-many-viewers"
    VIEWERS_OF_ADDRESS = "too-many-viewers-of-address"
    RATE = "too-much-data"
    RATE_OF_ADDRESS = "too-much-data-of-address"
    DESCRIPTORS = "no-descriptors"


class LimitReached(FramebusError):
    """No other viewer is let in."""

    def __init__(self, reason: RefusalReason, message: str, remedy: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.remedy = remedy


class Admission:
    """One viewer's. `release` it."""

    def __init__(self, viewer_limits: ViewerLimits, origin: str, rate: int) -> None:
        self.origin = origin
        self.rate = rate
        """Bytes a second that are counted for it."""
        self._viewer_limits = viewer_limits
        self._held = True
        self._marked: tuple[int, int] | None = None

    def measured(self, now_ns: int, sent: int) -> None:
        """Count what the viewer really takes: it was sent so many bytes by now."""
        if self._marked is None:
            self._marked = (now_ns, sent)
            return
        since_ns, before = self._marked
        if now_ns - since_ns >= MEASURE_NS:
            self._marked = (now_ns, sent)
            self._viewer_limits.change(self, (sent - before) * 1_000_000_000 // (now_ns - since_ns))

    def release(self) -> None:
        """Leave it to others; twice is harmless. Any thread."""
        if self._held:
            self._held = False
            self._viewer_limits.release(self)


class ViewerLimits:
    """One worker's. Any thread."""

    def __init__(
        self,
        options: Chosen,
        shared_load: SharedLoad,
        *,
        room: int,
        moving: Callable[[], int] = lambda: 0,
    ) -> None:
        """`room` is how many viewers this worker has descriptors for; `moving` tells how many are
        on their way from one worker to another, and so in nobody's part of the load."""
        self._viewers = options[MAX_VIEWERS]
        self._viewers_per_address = options[MAX_VIEWERS_PER_ADDRESS]
        self._rate = options[MAX_RATE]
        self._rate_per_address = options[MAX_RATE_PER_ADDRESS]
        self.of_rates = bool(self._rate or self._rate_per_address)
        self._shared_load = shared_load
        self._room = room
        self._moving = moving
        self._lock = threading.Lock()

    def admit(self, address: str | None, rate: int) -> Admission:
        """Admit a viewer that will take `rate` bytes a second; raises LimitReached."""
        admission = Admission(self, origin(address), rate)
        with self._lock:
            self._shared_load.add(admission.origin, 1, rate)
            full = self._excess(admission)
            if full is not None:
                self._shared_load.add(admission.origin, -1, -rate)
                raise full
        return admission

    def readmit(self, origin: str, rate: int) -> Admission:
        """Admit a viewer that another worker had let in, and that came here."""
        admission = Admission(self, origin, rate)
        with self._lock:
            self._shared_load.add(admission.origin, 1, rate)
        return admission

    def change(self, admission: Admission, rate: int) -> None:
        """Count another rate for a viewer."""
        with self._lock:
            self._shared_load.add(admission.origin, 0, rate - admission.rate)
            admission.rate = rate

    def release(self, admission: Admission) -> None:
        """For `Admission.release`."""
        with self._lock:
            self._shared_load.add(admission.origin, -1, -admission.rate)

    def _excess(self, admission: Admission) -> LimitReached | None:
        """Return what is too much now that a viewer is counted in."""
        if self._shared_load.own.viewers > self._room:
            return LimitReached(
                RefusalReason.DESCRIPTORS,
                f"this worker has file descriptors for {self._room} viewers, and no more",
                "ask again; raise LimitNOFILE= (ulimit -n) or the number of workers",
            )
        total = self._shared_load.total()
        if 0 < self._viewers < total.viewers + self._moving():
            return LimitReached(
                RefusalReason.VIEWERS,
                f"there are {self._viewers} viewers, and no more are let in",
                f"ask again when somebody has left, or raise {MAX_VIEWERS.flag}",
            )
        if 0 < self._rate < total.rate:
            return LimitReached(
                RefusalReason.RATE,
                _too_much("viewers", total.rate, admission.rate, self._rate),
                f"ask for fewer frames (?fps=), ask again later, or raise {MAX_RATE.flag}",
            )
        if not (self._viewers_per_address or self._rate_per_address):
            return None
        mine = self._shared_load.of(admission.origin)
        if 0 < self._viewers_per_address < mine.viewers:
            return LimitReached(
                RefusalReason.VIEWERS_OF_ADDRESS,
                f"your address has {self._viewers_per_address} viewers, and no more are let in",
                f"close another one, or raise {MAX_VIEWERS_PER_ADDRESS.flag}",
            )
        if 0 < self._rate_per_address < mine.rate:
            return LimitReached(
                RefusalReason.RATE_OF_ADDRESS,
                _too_much(
                    "your address' viewers", mine.rate, admission.rate, self._rate_per_address
                ),
                "close another one, ask for fewer frames (?fps=), or raise "
                f"{MAX_RATE_PER_ADDRESS.flag}",
            )
        return None


def _too_much(whose: str, together: int, more: int, limit: int) -> str:
    now = together - more
    return f"{whose} take {now} bytes a second, {more} more would be over the {limit} allowed"
