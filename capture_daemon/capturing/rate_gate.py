"""Which frames nobody wants: all but a few a second, while nobody watches.

The main thread says how many, the capture thread asks of each. Nothing but a number is shared.
"""

from __future__ import annotations


class RateGate:
    """Lets every frame through until it is given a limit."""

    def __init__(self) -> None:
        self.interval_ns = 0
        """Between two frames that are let through, at least; 0: all are."""
        self._due_ns = 0

    def limit(self, fps: float | None) -> None:
        """Let so many frames a second through, None: all. Any thread."""
        self.interval_ns = round(1e9 / fps) if fps else 0

    def drops(self, captured_ns: int) -> bool:
        """Tell whether a frame of that time (CLOCK_MONOTONIC) is to be dropped."""
        interval_ns = self.interval_ns
        if not interval_ns:
            self._due_ns = 0
            return False
        if captured_ns < self._due_ns:
            return True
        # In step with the time before, so that the rate is what was asked for; unless that is long
        # past.
        late = captured_ns - self._due_ns >= interval_ns
        self._due_ns = (captured_ns if late else self._due_ns) + interval_ns
        return False
