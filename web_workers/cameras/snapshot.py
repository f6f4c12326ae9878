"""One frame, for one request: the newest, or the one from so many seconds ago."""

from __future__ import annotations

from contextlib import closing

from framebus.errors import CameraAbsent, FrameGone
from framebus.frame import Frame
from framebus.names import CameraNames
from framebus.ring.reader import UNREADABLE, RingReader

from web_workers.cameras.cause import fresh_for_ns


def newest(names: CameraNames) -> Frame | None:
    """Return the newest frame, however old; None where there is none, or it cannot be read."""
    try:
        with closing(RingReader.attach(names)) as ring:
            return ring.newest()
    except (CameraAbsent, FrameGone, *UNREADABLE):
        return None  # what `observe` sees says why


def etag(frame: Frame) -> str:
    """Return what tells a frame from all others, as HTTP has it but for the quotes."""
    return f"{frame.captured_utc_ns:x}-{frame.sequence}"


def earlier(names: CameraNames, ago_s: float, now_ns: int) -> Frame:
    """Return the last frame that was captured at least `ago_s` seconds before `now_ns`.

    Raises FrameGone when history does not hold that moment, CameraAbsent without a ring, or why it
    is unreadable.
    """
    wanted_ns = now_ns - round(ago_s * 1e9)
    with closing(RingReader.attach(names)) as ring:
        low, high = ring.oldest, ring.cursor
        if not high or ring.captured_ns(low) > wanted_ns:
            reach_s = (now_ns - ring.captured_ns(low)) / 1e9 if high else 0.0
            raise FrameGone(f"history reaches back {reach_s:.1f} s: ask for less than that")
        while low < high:
            middle = (low + high + 1) // 2
            if ring.captured_ns(middle) <= wanted_ns:
                low = middle
            else:
                high = middle - 1
        frame = ring.read(low)
        if wanted_ns - frame.captured_ns > fresh_for_ns(ring.interval_ns):
            raise FrameGone(f"no frame was captured {ago_s:g} s ago: the camera was away")
    return frame
