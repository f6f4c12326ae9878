"""Which frames nobody wants: all but a few a second, while nobody watches.

The main thread says how many, the capture thread asks of each. Nothing but a number is shared. The
fast path asks the same words, and lets none through: those it leaves to the slow path.
"""

from __future__ import annotations

from capture_daemon.native.state import InputState


class RateGate:
    """Lets every frame through until it is given a limit."""

    def __init__(self, state: InputState | None = None) -> None:
        self._state = InputState() if state is None else state
        self._passed_ns = -1

    @property
    def interval_ns(self) -> int:
        """Between two frames that are let through, at least; 0: all are."""
        return self._state.limit_ns

    def limit(self, fps: float | None) -> None:
        """Let so many frames a second through, None: all. Any thread."""
        self._state.limit_ns = round(1e9 / fps) if fps else 0

    def drops(self, captured_ns: int) -> bool:
        """Tell whether a frame of that time (CLOCK_MONOTONIC) is to be dropped."""
        state = self._state
        interval_ns = state.limit_ns
        if not interval_ns:
            state.due_ns = 0
            return False
        if captured_ns == self._passed_ns:
            return False  # asked again of the same frame
        if captured_ns < state.due_ns:
            return True
        # In step with the time before, so that the rate is what was asked for; unless that is long
        # past.
        late = captured_ns - state.due_ns >= interval_ns
        state.due_ns = (captured_ns if late else state.due_ns) + interval_ns
        self._passed_ns = captured_ns
        return False
