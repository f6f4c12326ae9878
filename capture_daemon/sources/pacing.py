"""When the next frame of a source without a rhythm of its own is due.

Ticks lie on a grid from the start, so that rounding and late wake-ups never add up to drift.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from capture_daemon.sources.base import Interrupt, SourceUnusable

FASTEST = 1000.0
"""Frames a second above which a request is a mistake."""


def checked_fps(fps: float | None, default: float) -> float:
    """Return the rate to run at.

    Raises:
        SourceUnusable: the requested rate is not in (0, 1000].
    """
    if fps is None:
        return default
    if not 0 < fps <= FASTEST:
        raise SourceUnusable(
            "bad-fps",
            f"{fps:g} frames a second is out of range",
            remedy=f"ask for --fps above 0 and up to {FASTEST:g}",
        )
    return fps


class Pacer:
    """Waits for ticks 0, 1, 2, … at a fixed rate."""

    def __init__(
        self, fps: float, interrupt: Interrupt, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """`clock` gives nanoseconds, and the first tick is due at once."""
        self.fps = fps
        self.interval_ns = 1e9 / fps
        """From tick to tick."""
        self._interrupt = interrupt
        self._clock = clock
        self.start_ns = clock()
        """When tick 0 was due."""
        self.next_tick = 0

    @property
    def interval_s(self) -> float:
        """From tick to tick, seconds."""
        return self.interval_ns / 1e9

    def wait(self, timeout_s: float) -> int | None:
        """Return the tick that is due, or None after `timeout_s` or an interrupt.

        A caller that was away skips the ticks it missed: their numbers are left out.
        """
        due_ns = self.start_ns + self.next_tick * self.interval_ns
        remaining_s = (due_ns - self._clock()) / 1e9
        if remaining_s > timeout_s:
            self._interrupt.sleep(timeout_s)
            return None
        if self._interrupt.sleep(remaining_s):
            return None
        tick = max(self.next_tick, self.elapsed())
        self.next_tick = tick + 1
        return tick

    def elapsed(self) -> int:
        """Return the last tick that has been due."""
        return int((self._clock() - self.start_ns) / self.interval_ns)
