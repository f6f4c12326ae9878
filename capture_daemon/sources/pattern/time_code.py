"""Which second a tick of the test pattern belongs to, and which frame of that second it is. Pure.

A frame's time is that of its tick, not of the moment at which it is made: two frames never have the
same, and none is left out that was not lost.
"""

from __future__ import annotations

from typing import NamedTuple

_MOST_A_SECOND = 64
"""So many different frames a second are drawn; between two of them pictures repeat."""


class TimeCode(NamedTuple):
    """When a frame is due, as it stands on the picture."""

    second: int
    """UTC, seconds since 1970."""
    frame: int
    """Of that second, from 0."""


class TimeCodes:
    """Those of one rate."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._coarse = max(1, -int(-fps // _MOST_A_SECOND))
        self._base: int | None = None

    def at(self, tick: int, now_s: float) -> TimeCode:
        """Return the time code of a tick; `now_s` is UTC, seconds since 1970.

        The clock of day may be set, and its second may last a little longer or shorter than ours.
        """
        now = round(now_s * self._fps)
        if self._base is None or abs(self._base + tick - now) > 1:
            self._base = now - tick
        at_s = (self._base + tick) / self._fps
        second = int(at_s)
        frame = int((at_s - second) * self._fps + 0.01)  # a quotient may be a hair too small
        return TimeCode(second, frame - frame % self._coarse)
