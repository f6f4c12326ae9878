"""When a silent source counts as stalled. Main thread; time comes in (CLOCK_MONOTONIC nanoseconds).

Two waits: for the first valid frame after an open or a stream restart, and for each one after it.
A source that has proved itself is known to start within some time, and is not given more than that
when it must be restarted.
"""

from __future__ import annotations

from typing import Protocol

from capture_daemon.lifecycle import table
from capture_daemon.sources.base import NOTHING_GRANTED, Granted

_TELLING_S = 1.0
"""A source may send this long what is no frame, at its start, without being spoken of."""
_LATE_S = 0.2
"""A look at the clock that comes this much after its time says more about us than the camera."""


class Arrivals(Protocol):
    """What is needed of the capture thread; every call returns at once."""

    def arrived_ns(self) -> int:
        """Return when the newest valid frame arrived; 0 if none yet."""

    def rate(self) -> float:
        """Return the measured frames a second; 0 if unknown."""

    def unchanged_since_ns(self) -> int:
        """Return when the newest picture came for the first time; 0 if none yet."""


class SilenceWatch:
    """Knows since when frames are expected, and until when their absence is no stall."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._from_ns: int | None = None
        self._streaming = False
        self._settled = False
        self._telling = True
        self._started_s: float | None = None
        self._took_s: float | None = None

    def pause(self) -> None:
        """Frames cannot be expected now."""
        self._from_ns = None

    def expect(self, now_ns: int, *, telling: bool = True) -> None:
        """The source was opened, or its stream restarted: a first frame must come.

        Unless `telling`, how long it takes says nothing of the source.
        """
        self._from_ns = now_ns
        self._streaming = False
        self._settled = False
        self._telling = telling

    def waits(self, now_ns: int) -> bool:
        """Tell whether the first frame has been waited for, for longer than is worth no word."""
        since_ns = None if self._streaming else self._from_ns
        return since_ns is not None and now_ns - since_ns > _TELLING_S * 1e9

    def streaming(self, now_ns: int) -> None:
        """The first valid frame is here: the next ones must follow."""
        if self._from_ns is not None and not self._streaming and self._telling:
            self._started_s = (now_ns - self._from_ns) / 1e9
        self._from_ns = now_ns
        self._streaming = True

    def settled(self) -> None:
        """The stream has proved itself: what it took to start is what it takes."""
        self._took_s = self._started_s
        self._settled = True

    def forget(self) -> None:
        """Another source, or the old one in another way: it may be slower."""
        self._took_s = None

    def due_ns(self, granted: Granted | None, *, patient: bool) -> int | None:
        """Return when the silence becomes a stall, None if it cannot now.

        With `patient` the first frame has all the time that an unknown source gets.
        """
        if self._from_ns is None:
            return None
        granted = granted or NOTHING_GRANTED
        limit_s = table.silence_limit_s(granted.fps, self._arrivals.rate(), granted.jitter_s)
        if not self._settled:
            # Two frames may come at once, the next a minute later.
            intervals = table.SILENT_INTERVALS if self._streaming else 1
            limit_s = max(limit_s, intervals * granted.first_frame_timeout_s)
        if not self._streaming:
            # A slow rate's first frame may be as late as any other.
            limit_s = max(limit_s, table.start_limit_s(self._took_s))
            if patient:
                limit_s = max(limit_s, table.SLOW_START_S)
            return self._from_ns + int(limit_s * 1e9)
        newest_ns = max(self._arrivals.arrived_ns(), self._from_ns)
        return newest_ns + int(limit_s * 1e9)

    def is_late(self, due_ns: int, now_ns: int) -> bool:
        """Tell whether it is we who did not run (a loaded machine, a suspended one).

        The capture thread then gets the same time again to catch up before its camera is blamed.
        """
        if now_ns - due_ns <= _LATE_S * 1e9:
            return False
        self._from_ns = now_ns
        return True

    def is_frozen(self, limit_s: float, now_ns: int) -> bool:
        """Tell whether the picture has stayed the same for `limit_s` seconds; 0: never mind."""
        since_ns = self._arrivals.unchanged_since_ns()
        return bool(since_ns and limit_s) and now_ns - since_ns >= limit_s * 1e9
