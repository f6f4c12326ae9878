"""Which frames a viewer gets that asked for fewer: evenly spaced, exact in the long run. Pure."""

from __future__ import annotations


class FrameRateLimiter:
    """Admits `fps` frames a second of a stream that has more.

    What is due is counted on from what was due, not from what was sent, so a rate that does not
    divide the camera's comes out right on average; half a frame interval early counts as in time,
    so that the jitter of a camera does not cost a frame.
    """

    __slots__ = ("_period_ns", "due_ns", "fps")

    def __init__(self, fps: float, due_ns: int = 0) -> None:
        self._period_ns = round(1e9 / fps)
        self.fps = fps
        self.due_ns = due_ns
        """When the next one is due, on the clock of captures."""

    def admit(self, captured_ns: int, interval_ns: int) -> bool:
        """Whether the frame captured at `captured_ns` is one of them; `interval_ns` apart."""
        if captured_ns + interval_ns // 2 < self.due_ns:
            return False
        self.due_ns += self._period_ns
        if self.due_ns <= captured_ns:  # the first frame, or a pause: start anew
            self.due_ns = captured_ns + self._period_ns
        return True
