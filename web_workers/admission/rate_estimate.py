"""What a new viewer of a camera will take, before it has taken anything."""

from __future__ import annotations

from contextlib import closing

from framebus.errors import CameraAbsent, FrameGone
from framebus.names import CameraNames
from framebus.ring.reader import UNREADABLE, RingReader


def bytes_per_s(names: CameraNames, fps: float | None) -> int:
    """Return the newest frame's size times the frame rate, or times `fps` if that is less.

    0 where there is no frame to go by. Any thread.
    """
    try:
        with closing(RingReader.attach(names)) as ring:
            cursor, interval_ns = ring.cursor, ring.interval_ns
            length = ring.length(cursor) if cursor else 0
    except (CameraAbsent, FrameGone, *UNREADABLE):
        return 0
    if not interval_ns:
        return 0
    granted = 1e9 / interval_ns
    return round(length * (granted if fps is None else min(fps, granted)))
