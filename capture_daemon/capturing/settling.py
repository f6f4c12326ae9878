"""When a stream has proved itself: enough valid frames in a row. Time comes in."""

from __future__ import annotations

SETTLED_FRAMES = 10
_SLOW_S = 10.0
_SLOW_FRAMES = 3
"""So many are enough of a slow source, after so long: ten may take minutes."""


class Settling:
    """The valid frames of one stream, as far as they prove something."""

    def __init__(self) -> None:
        self._frames = 0
        self._first_ns = 0
        self.settled = False
        """It has proved itself."""

    def begin(self) -> None:
        """Another stream: nothing is proved."""
        self._frames = 0
        self.settled = False

    def is_first(self, now_ns: int) -> bool:
        """Count a valid frame; tell whether it is the first."""
        self._frames += 1
        if self._frames == 1:
            self._first_ns = now_ns
        return self._frames == 1

    def has_settled(self, now_ns: int) -> bool:
        """Tell, once, that the stream has proved itself."""
        if self.settled:
            return False
        lasted = now_ns - self._first_ns >= _SLOW_S * 1e9
        self.settled = self._frames >= (_SLOW_FRAMES if lasted else SETTLED_FRAMES)
        return self.settled
