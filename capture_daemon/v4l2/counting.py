"""Frame numbers that never go back, and frames that are too old: pure logic, time passed in.

What was counted last is in `StreamState`, since the fast path goes on from there, and this from it.
"""

from __future__ import annotations

from capture_daemon.native.state import StreamState

STALE_NS = 500_000_000
"""How long a frame may have waited in the kernel, nanoseconds. 16 buffers at 30 frames a second
hold 0.53 s, so only a process that slept (stopped, swapped out) meets older ones."""

_WRAP = 1 << 32
_BACKWARDS = 1 << 31


class SequenceCounter:
    """Turns the driver's 32-bit frame count, which starts anew at each STREAMON, into one count."""

    def __init__(self, state: StreamState | None = None) -> None:
        """Count in `state`."""
        self._state = StreamState() if state is None else state
        self._state.sequence = self._state.raw = -1

    def go_on_after(self, last: int) -> None:
        """An earlier process counted up to `last`; the driver's count may be its own or less."""
        self._state.sequence = self._state.raw = last

    def stream_started(self) -> None:
        """The driver counts from 0 again: what it counts from now on follows what was before."""
        self._state.raw = -1

    def count(self, raw: int, *, unused: bool = False) -> int:
        """Return the number of a buffer whose driver's count is `raw`.

        A buffer that was given back `unused` (no bytes, the ERROR flag, count 0) is no new frame of
        the camera: it repeats the number before it.
        """
        state = self._state
        if unused:
            return max(state.sequence, 0)
        if state.sequence < 0:
            state.sequence = raw
        else:
            step = (raw - state.raw) % _WRAP
            # A count that goes back means that the stream was started anew without our doing.
            state.sequence += step if 0 < step < _BACKWARDS else raw + 1
        state.raw = raw
        return state.sequence


class StaleFrames:
    """Tells frames that waited in the kernel while this process slept.

    Only after a pause, and only by comparison with its end: a camera whose clock is wrong by a
    constant is never stale for longer than that constant.
    """

    def __init__(self, state: StreamState | None = None) -> None:
        """Remember in `state`, where 0 is never."""
        self._state = StreamState() if state is None else state

    def stream_started(self, now_ns: int) -> None:
        """The kernel's buffers are empty."""
        self._state.seen_ns = now_ns
        self._state.resumed_ns = 0

    def is_stale(self, captured_ns: int, now_ns: int) -> bool:
        """Whether a frame dequeued at `now_ns` is left over from before a pause.

        The first frames of an adopted stream are not: they waited for us on purpose.
        """
        state = self._state
        if state.seen_ns and now_ns - state.seen_ns > STALE_NS:
            state.resumed_ns = now_ns
        state.seen_ns = now_ns
        return bool(state.resumed_ns) and captured_ns < state.resumed_ns - STALE_NS
