"""A camera's state as the web tier sees it, from its ring and its daemon's lock: one document.

It is the daemon's own status document (docs/control.md) with what only a reader knows: whether
frames are fresh, how old the newest is, and that there is no daemon at all. Keeps nothing between
calls; one costs about 0.1 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from framebus.contract.causes import Cause
from framebus.contract.words import State
from framebus.errors import CameraAbsent, FramebusError, FrameGone, OutOfResources
from framebus.json_parts import object_at
from framebus.liveness import holder
from framebus.names import CameraNames
from framebus.ring.reader import UNREADABLE, RingReader

from web_workers.cameras.cause import explain, fresh_for_ns

ABSENT = "absent"
"""The state of a camera without a living daemon; the other states are the daemon's."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen at one moment."""

    camera: str
    status: Mapping[str, object]
    """The daemon's status document; empty where there is none."""
    state: str
    cause: Cause | None
    """Why there are no fresh frames of the camera; None when there are."""
    fresh: bool
    """Whether frames are fresh, the camera's or its fallback's."""
    sequence: int
    """Of the newest frame; 0 when there is none."""
    age_s: float | None
    """Seconds since the newest frame was captured."""
    interval_s: float | None
    """The granted frame interval, seconds; None when unknown."""

    @property
    def online(self) -> bool:
        """Whether the camera's frames are fresh."""
        return self.cause is None

    @property
    def ready(self) -> bool:
        """Whether they are, or it is off only because nobody watches."""
        return self.online or self.state == State.IDLE

    @property
    def showing(self) -> str | None:
        """What viewers see: "camera", "fallback", or None for an old picture or none."""
        if not self.fresh:
            return None
        return "camera" if self.online else "fallback"

    def document(self) -> dict[str, object]:
        """Return it as JSON has it: the daemon's keys, and those of docs/http.md."""
        return {
            **self.status,
            "camera": self.camera,
            "state": self.state,
            "cause": self.cause.document() if self.cause is not None else None,
            "online": self.online,
            "showing": self.showing,
            "sequence": self.sequence,
            "age_s": None if self.age_s is None else round(self.age_s, 3),
            "interval_s": self.interval_s,
        }


def observe(
    names: CameraNames, *, now_ns: int, status: Mapping[str, object] | None = None
) -> Observation:
    """Look at a camera. `now_ns` is CLOCK_MONOTONIC; `status`, if given, is newer than the ring's.

    Never raises for what is the matter with the camera: that is its `cause`.
    """
    trouble: FramebusError | None = None
    sequence, captured_ns, interval_ns, told, attached = 0, 0, 0, dict(status or {}), False
    try:
        with closing(RingReader.attach(names)) as ring:
            attached = True
            told = told or ring.status()
            interval_ns = ring.interval_ns
            sequence, captured_ns = _newest(ring)
    except CameraAbsent:
        pass
    except UNREADABLE as error:
        trouble = error
    rests = told.get("state") == State.IDLE  # its last frames may have been far apart
    fresh = sequence > 0 and now_ns - captured_ns <= fresh_for_ns(interval_ns) and not rests
    try:
        pid = holder(names.lock)
    except OutOfResources as shortage:  # nothing says that it is dead
        pid, trouble = -1, trouble or shortage
    cause = None
    if not fresh or fallback_shown(told):
        cause = explain(names, told, attached=attached, trouble=trouble, holder=lambda: pid)
    alive = fresh or pid != 0
    return Observation(
        camera=names.camera,
        status=told,
        state=str(told.get("state") or ("streaming" if fresh else "opening")) if alive else ABSENT,
        cause=cause,
        fresh=fresh,
        sequence=sequence,
        age_s=(now_ns - captured_ns) / 1e9 if sequence else None,
        interval_s=interval_ns / 1e9 or None,
    )


def fallback_shown(status: Mapping[str, object]) -> bool:
    """Tell whether a daemon's status says that viewers see the fallback."""
    return object_at(status, "fallback").get("shown") is True


def _newest(ring: RingReader) -> tuple[int, int]:
    """Return (sequence, captured_ns) of the newest frame, zeros when there is none."""
    for _ in range(8):
        sequence = ring.cursor
        if sequence == 0:
            break
        try:
            return sequence, ring.captured_ns(sequence)
        except FrameGone:
            continue
    return 0, 0
