"""The newest frame of each camera, in one copy for all who ask a worker for it.

A ring is attached to by the first request and left two seconds after the last one; what is made of
a frame (headers and all) is kept as long as it is the newest. For the worker's main thread: it
never waits. It looks for fresh frames alone, and tells the daemon that they are wanted; why there
is none, `observe` finds out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from framebus.contract.words import State
from framebus.demand import DemandLease
from framebus.errors import CameraAbsent, FrameGone
from framebus.frame import Frame
from framebus.names import CameraNames
from framebus.ring.reader import UNREADABLE, RingReader

from web_workers.cameras.cause import fresh_for_ns
from web_workers.wire.loop import StreamLoop

STAYS_NS = 2_000_000_000
"""So long after the last request a ring is left."""
Made = TypeVar("Made")


class NewestFrames(Generic[Made]):
    """One worker's."""

    def __init__(self, loop: StreamLoop, make: Callable[[Frame], Made]) -> None:
        """`make` makes of a frame what all get who ask for it."""
        self._loop = loop
        self._make = make
        self._held: dict[str, _Held[Made]] = {}
        self._leases: dict[str, DemandLease] = {}

    def fresh(self, names: CameraNames) -> Made | None:
        """Return what was made of a camera's newest frame; None unless that is fresh."""
        held = self._attached(names)
        now_ns = self._loop.clock()
        if held is None or self._rests(names, held.ring) or not held.look(self._make):
            return None
        if now_ns - held.captured_ns > fresh_for_ns(held.ring.interval_ns):
            return None
        held.used_ns = now_ns
        return held.made

    def close(self) -> None:
        """Leave all rings."""
        for held in self._held.values():
            held.ring.close()
        for lease in self._leases.values():
            lease.close()
        self._held.clear()

    def _rests(self, names: CameraNames, ring: RingReader) -> bool:
        """Want a camera's frames; return whether it is off because nobody did."""
        lease = self._leases.get(names.camera)
        if lease is None:
            lease = self._leases[names.camera] = DemandLease(names, self._loop.clock)
        lease.renew(ring)
        return lease.matters and ring.status().get("state") == State.IDLE

    def _attached(self, names: CameraNames) -> _Held[Made] | None:
        held = self._held.get(names.camera)
        if held is not None and not held.ring.replaced:
            return held
        try:
            ring = RingReader.attach(names)
        except (CameraAbsent, *UNREADABLE):
            return None
        if held is not None:
            held.ring.close()
            held.ring, held.sequence, held.made = ring, 0, None
            return held
        held = self._held[names.camera] = _Held(ring, self._loop.clock())
        self._leave_later(names.camera, held)
        return held

    def _leave_later(self, camera: str, held: _Held[Made]) -> None:
        def look() -> None:
            if self._held.get(camera) is not held:
                return  # closed
            if self._loop.clock() - held.used_ns < STAYS_NS:
                self._leave_later(camera, held)
                return
            del self._held[camera]
            held.ring.close()
            self._leases[camera].close()

        self._loop.call_at(held.used_ns + STAYS_NS, look)


class _Held(Generic[Made]):
    """One camera's ring, and what was made of its newest frame."""

    def __init__(self, ring: RingReader, now_ns: int) -> None:
        self.ring = ring
        self.used_ns = now_ns
        self.sequence = 0
        self.captured_ns = 0
        self.made: Made | None = None

    def look(self, make: Callable[[Frame], Made]) -> bool:
        """Take the newest frame, unless that was done; return whether there is one."""
        if self.sequence and self.ring.cursor == self.sequence:
            return True
        try:
            frame = self.ring.newest()
        except FrameGone:
            return False
        if frame is None:
            return False
        self.sequence, self.captured_ns, self.made = frame.sequence, frame.captured_ns, make(frame)
        return True
