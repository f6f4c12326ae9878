"""Where a JPEG ends that comes in piece by piece, in a stream that does not say it. Pure.

After the header, coded data holds no marker but RSTm (T.81, B.1.1.5), so the next other one is
EOI, a segment between two scans, or, where the picture was cut, the SOI of the one after it. Each
byte is looked at once, by a search that runs in C.
"""

from __future__ import annotations

import re

from capture_daemon.sources.jpeg import HeaderState, read_header

START = b"\xff\xd8\xff"
"""How a picture begins: SOI, and the first byte of the marker that must follow it."""
END = b"\xff\xd9"
"""EOI."""
_MARKER = re.compile(rb"\xff[\xc4\xd8-\xdb]")
"""DHT, SOI, EOI, SOS and DQT: the ends, and the segments that a further scan has before it, which
may hold anything. (Two bytes and a short set, so that the search is as fast as one for a byte.)"""
_TAIL = 64
"""Bytes after which padding and line ends behind EOI are no longer looked for the quick way."""


class PictureEnd:
    """The end of the picture at a buffer's beginning; asked again when the buffer has grown."""

    def __init__(self) -> None:
        self._at = 0
        """Up to here the coded data is looked at; 0 until the header is complete."""
        self.is_lost = False
        """It has no header, so its end cannot be found."""
        self.is_cut = False
        """Its own end is missing: another picture begins."""

    def find(self, data: bytearray) -> int:
        """Return where the picture ends, or another one begins; 0 if neither is there (yet)."""
        if self.is_lost or (not self._at and not self._enter(data)):
            return 0
        while (marker := _MARKER.search(data, self._at)) is not None:
            after = marker.end()
            if marker[0] == END:
                return after
            if marker[0] == START[:2]:
                self.is_cut = True
                return marker.start()
            length = int.from_bytes(data[after : after + 2], "big")
            if after + max(length, 2) > len(data):
                self._at = marker.start()
                return 0
            self._at = after + length
        self._at = max(self._at, len(data) - 1)
        return 0

    def _enter(self, data: bytearray) -> bool:
        header = read_header(data)
        self.is_lost = header.state is HeaderState.MALFORMED
        self._at = header.data_at
        return header.state is HeaderState.COMPLETE


def ends_at(data: bytearray, length: int) -> bool:
    """Tell whether the first `length` bytes end with EOI, padding and line ends left aside."""
    return bytes(data[max(0, length - _TAIL) : length]).rstrip(b"\0\r\n").endswith(END)
