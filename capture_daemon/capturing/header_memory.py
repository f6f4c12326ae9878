"""The header of the picture before: a camera's next one has the same, so it is not walked again.

The fast path compares with it as well, and publishes only what has it, as what the slow path made
of it.
"""

from __future__ import annotations

import ctypes

from framebus.frame import FrameFlags

from capture_daemon.native.state import HEADER_MAX, InputState
from capture_daemon.sources.base import Captured
from capture_daemon.sources.pictures.jpeg import NOTHING_KNOWN, Known
from capture_daemon.sources.pictures.markers import Header


class HeaderMemory:
    """One capture thread's."""

    def __init__(self, state: InputState) -> None:
        self._state = state
        self.known = NOTHING_KNOWN
        self._said: tuple[FrameFlags, int, int] | None = None

    def forget(self) -> None:
        """Another source: nothing is known."""
        self.known, self._said, self._state.header_length = NOTHING_KNOWN, None, 0

    def usual(self, captured: Captured) -> bool:
        """Tell whether a source says of a picture what it said of the one before, and no ill."""
        said = (captured.flags, captured.width, captured.height)
        return said == self._said and not captured.faulty and not captured.reject

    def learn(
        self, captured: Captured, header: Header, width: int, height: int, flags: FrameFlags
    ) -> None:
        """Take note of a picture that begins with its SOI, and of what is published of it."""
        said = (captured.flags, captured.width, captured.height)
        if header is self.known.header and said == self._said:
            return
        data = bytes(captured.data[: header.data_at])
        self.known, self._said = Known(data, header), said
        state = self._state
        state.width, state.height, state.flags = width, height, flags
        usual = len(data) <= HEADER_MAX and not header.lacks_tables
        state.header_length = len(data) if usual else 0
        ctypes.memmove(ctypes.addressof(state.header), data, state.header_length)
