"""When a silent source counts as stalled. Pure; time comes in (CLOCK_MONOTONIC nanoseconds).

Two waits: for the first valid frame after an open or a stream restart, and for each one after it.
A source that has proved itself is known to start within some time, and is not given more than that
when it must be restarted.
"""

from __future__ import annotations

from capture_daemon.capturing.commands import Observed
from capture_daemon.sources.base import NOTHING_GRANTED, Granted

SILENT_INTERVALS = 3
SLOW_START_S = 5.0
"""How long a source may take from open to its first valid frame: real cameras take 3 s and more."""
QUICK_START_S = 0.8
"""The same for a source that is known to be quicker, at least. Each rung in vain costs as much:
with 2 s here, a camera that only a USB reset cures was away for over 8 s."""
_TELLING_S = 1.0
"""A source may send this long what is no frame, at its start, without being spoken of."""
_LATE_S = 0.2
"""A look at the clock that comes this much after its time says more about us than the camera."""


class SilenceWatch:
    """Knows since when frames are expected, and until when their absence is no stall."""

    def __init__(self) -> None:
        self._from_ns: int | None = None
        self._streaming = False
        self._settled = False
        self._telling = True
        self._started_s: float | None = None
        self._took_s: float | None = None

    @property
    def expects(self) -> bool:
        """Whether frames are expected now."""
        return self._from_ns is not None

    @property
    def has_settled(self) -> bool:
        """Whether the stream has proved itself."""
        return self._settled

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

    def due_ns(self, granted: Granted | None, seen: Observed, *, patient: bool) -> int | None:
        """Return when the silence becomes a stall, None if it cannot now.

        With `patient` the first frame has all the time that an unknown source gets.
        """
        if self._from_ns is None:
            return None
        granted = granted or NOTHING_GRANTED
        limit_s = silence_limit_s(granted.fps, seen.rate, granted.jitter_s)
        if not self._settled:
            # Two frames may come at once, the next a minute later.
            intervals = SILENT_INTERVALS if self._streaming else 1
            limit_s = max(limit_s, intervals * granted.first_frame_timeout_s)
        if not self._streaming:
            # A slow rate's first frame may be as late as any other.
            limit_s = max(limit_s, start_limit_s(self._took_s))
            if patient:
                limit_s = max(limit_s, SLOW_START_S)
            return self._from_ns + int(limit_s * 1e9)
        newest_ns = max(seen.arrived_ns, self._from_ns)
        return newest_ns + int(limit_s * 1e9)

    def is_late(self, due_ns: int, now_ns: int) -> bool:
        """Tell whether it is we who did not run (a loaded machine, a suspended one).

        The capture thread then gets the same time again to catch up before its camera is blamed.
        """
        if now_ns - due_ns <= _LATE_S * 1e9:
            return False
        self._from_ns = now_ns
        return True


def start_limit_s(took_s: float | None) -> float:
    """Return how long to wait for the first valid frame of a source that last took `took_s`.

    None: it is not known. Half as long again and half a second is allowed, since a camera that
    recovers may be slower than one that was well.
    """
    return SLOW_START_S if took_s is None else max(QUICK_START_S, 1.5 * took_s + 0.5)


def silence_limit_s(granted_fps: float, measured_fps: float, jitter_s: float) -> float:
    """Return how long a stream may go without a valid frame before it counts as stalled, seconds.

    Three frame intervals and the source's jitter. The slower of the granted and the measured rate
    counts: in the dark a camera that was granted 30 fps may give 5, and is not stalled.
    0: unknown.
    """
    rates = [fps for fps in (granted_fps, measured_fps) if fps > 0]
    interval_s = 1.0 / min(rates) if rates else 0.5
    return SILENT_INTERVALS * interval_s + jitter_s
