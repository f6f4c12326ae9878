"""Where a picture of known length is put together, piece by piece: it is copied once.

There are two places, used in turn: memory that was just given back and is asked for again costs a
page fault every 4 KiB, which is more than the copy.
"""

from __future__ import annotations

from capture_daemon.sources.pictures.markers import EOI
from capture_daemon.sources.pictures.picture_end import ends_at

_MOST_BEHIND = 1024
"""Bytes that may stand behind a picture that is shorter than was told: the next part's head."""


class Filling:
    """One picture on its way into its place."""

    def __init__(self, place: bytearray, length: int) -> None:
        """`length` bytes are expected; the place has room for them."""
        self._place = place
        self._length = length
        self._at = 0

    @property
    def missing(self) -> int:
        """Bytes."""
        return self._length - self._at

    @property
    def is_doubtful(self) -> bool:
        """Whether the length may be wrong: the picture seems to end before it, or not there."""
        return not self.missing or EOI in self._place[max(0, self._at - _MOST_BEHIND) : self._at]

    def fill(self, data: bytes | bytearray | memoryview) -> int:
        """Take what belongs to it; return how many bytes that is."""
        taken = min(len(data), self.missing)
        self._place[self._at : self._at + taken] = data[:taken]
        self._at += taken
        return taken

    def picture(self) -> memoryview | None:
        """Return it, if it is whole and ends where it should, the line end behind it left out."""
        place, length = memoryview(self._place), self._length
        if self.missing or not ends_at(place, length):
            return None
        while place[length - 1] in b"\r\n" and ends_at(place, length - 1):
            length -= 1
        return place[:length]

    def bytes(self) -> bytes:
        """Return what there is of it."""
        return bytes(self._place[: self._at])


class Places:
    """Gives the places out. A picture stays in its own until `free`, and one more is begun."""

    def __init__(self) -> None:
        self._spare: list[bytearray] = []
        self._used: list[bytearray] = []

    def free(self) -> None:
        """Let the places be used again, but the one that is being filled."""
        self._spare += self._used[:-1]
        del self._used[:-1]
        del self._spare[2:]

    def begin(self, length: int) -> Filling:
        """Begin a picture of `length` bytes."""
        place = self._spare.pop() if self._spare else bytearray()
        if len(place) < length:
            place = bytearray(length + length // 8)
        self._used.append(place)
        return Filling(place, length)
