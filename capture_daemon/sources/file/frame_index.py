"""Where the pictures of a recording are: found by the first pass, read from there by the others.

To find the end of a picture costs more than to read it, and a recording is played again and again.
"""

from __future__ import annotations

import os
from array import array

from capture_daemon.sources.file.picture import Picture, Pictures
from capture_daemon.sources.pictures.markers import EOI, START

LARGEST = 100_000
"""Pictures of an index, 24 bytes each: an hour at 27 a second. What is longer has none."""


class FrameIndex:
    """The index of one file, as long as that does not change."""

    def __init__(self, fps: float = 0.0) -> None:
        self.fps = fps
        """By the file's own word; 0 if it does not say."""
        self.complete = True
        """All pictures are in it, and are still there."""
        self._words = array("Q")
        """Offset, length, and width and height in one, picture by picture."""

    def add(self, picture: Picture) -> None:
        """Add the next picture of the file; one that is none makes the index useless."""
        if picture.reason or len(self._words) >= 3 * LARGEST:
            self.complete = False
            del self._words[:]
        if self.complete:
            size = picture.width << 32 | picture.height
            self._words.extend((picture.at, len(picture.data), size))

    def pictures(self, fd: int) -> Pictures:
        """Yield all pictures, up to one that is no longer there. Raises OSError."""
        words = iter(self._words)
        for at, length, size in zip(words, words, words, strict=True):
            data = os.pread(fd, length, at)
            if not (data.startswith(START) and data.endswith(EOI)):
                self.complete = False
                return
            yield Picture(data, "", size >> 32, size & 0xFFFFFFFF)
