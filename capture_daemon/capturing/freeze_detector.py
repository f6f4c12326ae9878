"""Since when a camera has sent the same picture, byte for byte: a sensor's noise never repeats.

A frozen sensor sends valid frames at the right rate, so nothing else notices it. Pure; the capture
thread sees frames, any thread may ask.
"""

from __future__ import annotations

import zlib


class FreezeDetector:
    """Compares each frame with the one before it.

    Lengths are compared first, and checksums only of frames that have the same: for a live picture
    that is hardly ever.
    """

    def __init__(self) -> None:
        self._length = -1
        self._check: int | None = None
        self.since_ns = 0
        """When the newest picture came for the first time; 0 before the first frame."""

    def see(self, data: bytes | memoryview, captured_ns: int) -> None:
        """Take in the next frame; `captured_ns` is CLOCK_MONOTONIC."""
        if len(data) != self._length:
            self._length, self._check, self.since_ns = len(data), None, captured_ns
            return
        check = zlib.crc32(data)
        if check != self._check:
            # The first of two equal lengths has no checksum yet: one frame is given away.
            self._check, self.since_ns = check, captured_ns
