"""Lets viewers in, or says why not. Who is in stays in, whatever the others come to.

A viewer has a place from before it is answered until it has left, so that no burst slips through
while connections are handed over. Places are all workers' together (ledger.py). Of its bytes a
second a place holds what the viewer will take, until that can be measured.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable

from framebus.errors import FramebusError

from web_workers.admission.ledger import Ledger
from web_workers.admission.origin import origin
from web_workers.admission.settings import Limits

RETRY_AFTER_S = 10
MEASURE_NS = 2_000_000_000
"""Over how long a viewer's bytes a second are measured, at least."""


class Reason(enum.Enum):
    """Why a viewer is not let in."""

    VIEWERS = "too-many-viewers"
    VIEWERS_OF_ADDRESS = "too-many-viewers-of-address"
    RATE = "too-much-data"
    RATE_OF_ADDRESS = "too-much-data-of-address"
    DESCRIPTORS = "no-descriptors"


class Full(FramebusError):
    """No place for another viewer."""

    def __init__(self, reason: Reason, message: str, remedy: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.remedy = remedy


class Place:
    """One viewer's place. `release` it."""

    def __init__(self, gate: Gate, origin: str, rate: int) -> None:
        self.origin = origin
        self.rate = rate
        """Bytes a second that are counted for it."""
        self._gate = gate
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
            self._gate.change(self, (sent - before) * 1_000_000_000 // (now_ns - since_ns))

    def release(self) -> None:
        """Give the place to others; twice is harmless. Any thread."""
        if self._held:
            self._held = False
            self._gate.release(self)


class Gate:
    """One worker's gate. Any thread."""

    def __init__(
        self,
        limits: Limits,
        ledger: Ledger,
        *,
        room: int,
        moving: Callable[[], int] = lambda: 0,
    ) -> None:
        """`room` is how many viewers this worker has descriptors for; `moving` tells how many are
        on their way from one worker to another, and so in nobody's part of the ledger."""
        self.limits = limits
        self._ledger = ledger
        self._room = room
        self._moving = moving
        self._lock = threading.Lock()

    def admit(self, address: str | None, rate: int) -> Place:
        """Give a place to a viewer that will take `rate` bytes a second; raises Full."""
        place = Place(self, origin(address), rate)
        with self._lock:
            self._ledger.add(place.origin, 1, rate)
            full = self._excess(place)
            if full is not None:
                self._ledger.add(place.origin, -1, -rate)
                raise full
        return place

    def readmit(self, origin: str, rate: int) -> Place:
        """Give a place to a viewer that another worker had let in, and that came here."""
        place = Place(self, origin, rate)
        with self._lock:
            self._ledger.add(place.origin, 1, rate)
        return place

    def change(self, place: Place, rate: int) -> None:
        """Count another rate for a place."""
        with self._lock:
            self._ledger.add(place.origin, 0, rate - place.rate)
            place.rate = rate

    def release(self, place: Place) -> None:
        """For `Place.release`."""
        with self._lock:
            self._ledger.add(place.origin, -1, -place.rate)

    def _excess(self, place: Place) -> Full | None:
        """Return what is too much now that a place is counted in."""
        limits = self.limits
        if self._ledger.own.viewers > self._room:
            return Full(
                Reason.DESCRIPTORS,
                f"this worker has file descriptors for {self._room} viewers, and no more",
                "ask again; raise LimitNOFILE= (ulimit -n) or the number of workers",
            )
        total = self._ledger.total()
        if 0 < limits.viewers < total.viewers + self._moving():
            return Full(
                Reason.VIEWERS,
                f"there are {limits.viewers} viewers, and no more are let in",
                "ask again when somebody has left, or raise --max-viewers",
            )
        if 0 < limits.rate < total.rate:
            return Full(
                Reason.RATE,
                _too_much("viewers", total.rate - place.rate, place.rate, limits.rate),
                "ask for fewer frames (?fps=), ask again later, or raise --max-rate",
            )
        if not (limits.viewers_per_address or limits.rate_per_address):
            return None
        mine = self._ledger.of(place.origin)
        if 0 < limits.viewers_per_address < mine.viewers:
            return Full(
                Reason.VIEWERS_OF_ADDRESS,
                f"your address has {limits.viewers_per_address} viewers, and no more are let in",
                "close another one, or raise --max-viewers-per-address",
            )
        if 0 < limits.rate_per_address < mine.rate:
            return Full(
                Reason.RATE_OF_ADDRESS,
                _too_much(
                    "your address' viewers",
                    mine.rate - place.rate,
                    place.rate,
                    limits.rate_per_address,
                ),
                "close another one, ask for fewer frames (?fps=), or raise --max-rate-per-address",
            )
        return None


def _too_much(whose: str, now: int, more: int, limit: int) -> str:
    return f"{whose} take {now} bytes a second, {more} more would be over the {limit} allowed"
