"""Where the pictures of a recording are: found by the first pass, read from there by the others.

To find the end of a picture costs more than to read it, and a recording is played again and again.
"""

from __future__ import annotations

import os
from array import array
from typing import BinaryIO, Self

from capture_daemon.sources.file.picture import Picture
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

    def __len__(self) -> int:
        """Return how many pictures are in it."""
        return len(self._words) // 3

    def __getitem__(self, number: int) -> tuple[int, int, int]:
        """Return offset, length, and width and height in one, of a picture."""
        at, length, size = self._words[3 * number : 3 * number + 3]
        return at, length, size

    @property
    def address(self) -> int:
        """Where that is in memory, for the fast path."""
        return self._words.buffer_info()[0]

    @property
    def longest(self) -> int:
        """Bytes of the longest picture."""
        return max(self._words[1::3], default=0)


class IndexedPass:
    """The pictures of an index, read from where they are; up to one that is no longer there."""

    def __init__(self, file: BinaryIO, index: FrameIndex) -> None:
        """Take an open file, which it closes."""
        self._file = file
        self.index = index
        self.at = 0
        """The next picture's number."""

    def fileno(self) -> int:
        """Return the file's descriptor."""
        return self._file.fileno()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Picture:
        if self.at == len(self.index) or self._file.closed:
            self.close()
            raise StopIteration
        at, length, size = self.index[self.at]
        self.at += 1
        data = os.pread(self._file.fileno(), length, at)
        if not is_picture(data):
            self.changed()
            raise StopIteration
        return Picture(data, "", size >> 32, size & 0xFFFFFFFF)

    def changed(self) -> None:
        """End it: the file is not what the index is of."""
        self.index.complete = False
        self.close()

    def close(self) -> None:
        """End it. Twice is harmless."""
        self._file.close()


def is_picture(data: bytes | memoryview) -> bool:
    """Tell whether that begins and ends as a picture of an index does."""
    return data[: len(START)] == START and data[-len(EOI) :] == EOI
