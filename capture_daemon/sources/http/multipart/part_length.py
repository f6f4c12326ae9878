"""The length that a part of a multipart stream says it has, and whether it is right. Pure.

Servers say too much, too little, or count the line end behind the picture (parser.py).
"""

from __future__ import annotations

from capture_daemon.sources.http.multipart.delimiters import Delimiter, DelimiterFinder
from capture_daemon.sources.pictures.markers import EOI
from capture_daemon.sources.pictures.picture_end import PictureEnd, ends_at

_MOST_BEHIND = 1024
"""Bytes that may stand behind a picture before the server pauses: the next part's head."""


class PartLength:
    """One stream's: after a length that was too large none is believed any more."""

    def __init__(self, largest: int) -> None:
        """`largest` part in bytes."""
        self._largest = largest
        self._believed = True
        self.told: int | None = None
        """Bytes of the body, where the part says it and is believed."""

    def begin(self, text: str) -> None:
        """Take a new part's Content-Length; empty without one."""
        believed = self._believed and text.isascii() and text.isdigit()
        told = int(text[:18]) if believed else 0
        self.told = told if 0 < told <= self._largest else None

    def end(self, data: bytearray, delimiters: DelimiterFinder) -> int:
        """Return where the picture ends that `data` begins with, as far as the length tells it.

        0 where it does not: more bytes are needed, or it is wrong, and `told` is None from now on.
        There must be one. A delimiter is looked for only where something is wrong.
        """
        length = self.told or 0
        if len(data) < length:
            if EOI in data[-_MOST_BEHIND:] and (delimiter := delimiters.find(data)):
                self._doubt(data, delimiter, delimiters)
            return 0
        if ends_at(data, length):
            return length
        end = self._nearby(data, length, delimiters)
        if not end:
            self.told = None
        return end

    def _nearby(self, data: bytearray, length: int, delimiters: DelimiterFinder) -> int:
        """Return where the picture ends whose length is nearly right; 0: it is far from it."""
        delimiter = delimiters.find(data)
        if delimiter is not None:
            self._doubt(data, delimiter, delimiters)
            if 0 <= length - delimiter.start <= 2:
                return delimiter.start
        return self._within(data, length, delimiters) if self.told is not None else 0

    def _doubt(self, data: bytearray, delimiter: Delimiter, delimiters: DelimiterFinder) -> None:
        """Forget the length, and those to come, if a part begins before its end."""
        if self.told is None or delimiter.start >= self.told - 2:
            return
        if ends_at(data, delimiter.start) or delimiters.headed(data, delimiter):
            self.told = None
            self._believed = False

    def _within(self, data: bytearray, length: int, delimiters: DelimiterFinder) -> int:
        """Return where the picture ends of which at least that much is there; 0: beyond it."""
        end = PictureEnd().find(data)
        if not 0 < end <= length:
            return 0
        if delimiters.may_begin(bytes(data[end:length])):
            self._believed = False  # it reaches into the delimiter
            return end
        return length
