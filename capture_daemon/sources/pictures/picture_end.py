"""Where a JPEG ends that comes in piece by piece, in a stream that does not say it. Pure.

markers.py walks the markers; what was walked is not walked again when more bytes are there.
"""

from __future__ import annotations

from capture_daemon.sources.pictures.markers import (
    EOI,
    Data,
    EndState,
    Header,
    HeaderState,
    find_end,
    read_header,
)

_TAIL = 64
"""Bytes after which padding and line ends behind EOI are no longer looked for the quick way."""
_NOTHING = Header(HeaderState.INCOMPLETE)


class PictureEnd:
    """The end of the picture at a buffer's beginning; asked again when the buffer has grown."""

    def __init__(self) -> None:
        self.header = _NOTHING
        """What is known of its header."""
        self._at = 0
        """Up to here the coded data is looked at; 0 until the header is complete."""
        self.is_lost = False
        """It has no header, so its end cannot be found."""
        self.is_cut = False
        """Its own end is missing: another picture begins."""

    def find(self, data: Data, *, final: bool = False) -> int:
        """Return where the picture ends, or another one begins; 0 if neither is there (yet).

        With `final` no more bytes will come.
        """
        if not self._at and not self.is_lost:
            self.header = read_header(data, 0, self.header)
            self.is_lost = self.header.state is HeaderState.MALFORMED
            self._at = self.header.data_at
        if not self._at:
            return 0
        state, at = find_end(data, self._at, final=final)
        if state is EndState.OPEN:
            self._at = at
            return 0
        self.is_cut = state is EndState.CUT
        return at


def ends_at(data: Data, length: int) -> bool:
    """Tell whether the first `length` bytes end with EOI, padding and line ends left aside."""
    return bytes(data[max(0, length - _TAIL) : length]).rstrip(b"\0\r\n").endswith(EOI)
