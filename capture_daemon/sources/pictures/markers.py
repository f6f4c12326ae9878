"""Walks the markers of a JPEG, as far as finding its size and its end takes (ITU T.81, Annex B).

Pure functions over bytes, for bytes that still come in too: each can go on where it was. Of
malformed pictures they let pass what libjpeg does, which browsers decode with.
"""

from __future__ import annotations

import re
import struct
from enum import Enum
from typing import NamedTuple

SOI = b"\xff\xd8"
EOI = b"\xff\xd9"
START = SOI + b"\xff"
"""SOI and the first byte of the marker that must follow it."""

Data = memoryview | bytes | bytearray

_DHT = 0xC4
_SOI = 0xD8
_EOI = 0xD9
_SOS = 0xDA
_FRAME_HEADERS = frozenset(set(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC})
"""SOF0 to SOF15; C4 is DHT, C8 reserved, CC arithmetic conditioning."""
_HUFFMAN_BASELINE = frozenset({0xC0, 0xC1})
"""The frame types that the standard tables of K.3 can serve."""
_FREE_CONTENT = frozenset({*range(0xE0, 0xF0), 0xFE})
"""APP0-15 and COM: they may hold anything, a whole thumbnail for one."""

_SEGMENT = struct.Struct(">HH").unpack_from
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
"""A marker that matters, after any number of fill bytes: coded data holds FF 00 and RST0-7, damaged
data also TEM and the reserved ones below C0."""
_START = re.compile(re.escape(START))

_MOST_SEGMENTS = 512
"""More is no camera: the bound keeps hostile headers from costing a walk of 50,000 steps."""
_MOST_EXTRANEOUS = 4096
"""Bytes that belong to no segment, for instance because a length is wrong: decoders skip them."""
_MOST_MARKERS = 4096
"""The same for the markers after the first scan has begun; progressive pictures have some tens."""


class HeaderState(Enum):
    """How far a walk of the header came."""

    COMPLETE = "complete"
    """Up to the first scan (SOS)."""
    INCOMPLETE = "incomplete"
    """The data ends first; more bytes may complete it."""
    MALFORMED = "malformed"
    """No header, whatever follows."""


class Header(NamedTuple):
    """The segments before the first scan's data."""

    state: HeaderState
    at: int = 0
    """How far the walk came."""
    scan_at: int = 0
    """Offset of the SOS marker; 0 unless complete."""
    data_at: int = 0
    """Offset of the first entropy-coded byte; 0 unless complete."""
    frame_type: int = 0
    """The SOF marker's second byte; 0 if there was none."""
    width: int = 0
    height: int = 0
    has_tables: bool = False
    """A DHT segment was seen."""
    segment: int = 0
    """Where the last whole segment begins."""
    steps: int = 0
    """How many it took."""

    @property
    def lacks_tables(self) -> bool:
        """True for a baseline picture that reaches its scan without a DHT segment.

        False for everything that the standard tables could not help: arithmetic or progressive
        coding, a header that is broken.
        """
        return (
            not self.has_tables
            and self.state is HeaderState.COMPLETE
            and self.frame_type in _HUFFMAN_BASELINE
        )


class EndState(Enum):
    """How the search for a picture's end came out."""

    WHOLE = "whole"
    """At its EOI."""
    CUT = "cut"
    """Another picture begins first, or there are markers without end."""
    OPEN = "open"
    """The data ends first; more bytes may complete it."""


def read_header(data: Data, start: int = 0, before: Header | None = None) -> Header:
    """Walk the segments from SOI at `start` to the first SOS. Never raises, whatever `data` is.

    `before` is what an earlier walk of the same bytes, then fewer, came to: this one goes on there.
    """
    if before is None or not before.at:
        if bytes(data[start : start + 2]) != SOI:
            short = len(data) - start < 2 and SOI.startswith(bytes(data[start:]))
            return Header(HeaderState.INCOMPLETE if short else HeaderState.MALFORMED)
        at = segment = start + 2
        steps = frame_type = width = height = 0
        has_tables = False
    else:
        _, at, _, _, frame_type, width, height, has_tables, segment, steps = before
    end = len(data)
    state = HeaderState.MALFORMED
    while steps < _MOST_SEGMENTS:
        if at + 4 > end:
            if bytes(data[at : at + 2]) != EOI:
                state = HeaderState.INCOMPLETE
            break
        word, length = _SEGMENT(data, at)
        marker = word & 0xFF
        if word < 0xFFC0 or marker == 0xFF or 0xD0 <= marker <= 0xD9:
            after = _next_marker(data, at, segment)
            if after < 0:
                if after == _MORE:
                    state = HeaderState.INCOMPLETE
                break
            steps += 1
            at = after
            continue
        if length < 2:
            if marker not in _FREE_CONTENT:
                break
            length = 2  # as decoders do
        after = at + 2 + length
        if after > end:
            state = HeaderState.INCOMPLETE
            break
        if marker == _SOS:
            if not frame_type or length < 8 or length != 6 + 2 * data[at + 4]:
                break
            state = HeaderState.COMPLETE
            return Header(state, after, at, after, frame_type, width, height, has_tables)
        if marker < 0xD0:
            if marker == _DHT:
                has_tables = True
            elif marker in _FRAME_HEADERS and length >= 8:
                frame_type = marker
                height, width = _SEGMENT(data, at + 5)
        steps += 1
        segment, at = at, after
    return Header(state, at, 0, 0, frame_type, width, height, has_tables, segment, steps)


_MORE = -1
_NONE = -2


def _next_marker(data: Data, at: int, segment: int) -> int:
    """Return where the next marker with a length is, since there is none at `at`.

    Fill bytes (B.1.1.2) and extraneous bytes are passed over. _NONE: the header is broken, by an
    EOI or an SOI in it for one. _MORE: more bytes may bring one. `segment` is where the last
    segment begins.
    """
    found = _MARKER.search(data, at, at + _MOST_EXTRANEOUS)
    if found is None:
        return _MORE if len(data) < at + _MOST_EXTRANEOUS else _NONE
    after = found.start()
    if data[after + 1] in (_SOI, _EOI):
        return _NONE
    # A picture that was cut in a segment whose length takes in the beginning of the next picture.
    swallowed = data[segment + 1] not in _FREE_CONTENT and _START.search(data, segment, at + 2)
    return _NONE if swallowed else after


def find_end(data: Data, at: int, *, final: bool) -> tuple[EndState, int]:
    """Look for the EOI of a picture from `at` on, in its first scan's data or after it.

    Returns WHOLE and the offset after EOI; CUT and where it is cut; or OPEN and the `at` for a call
    with more bytes. With `final` no more bytes will come. Never raises.
    """
    for _ in range(_MOST_MARKERS):
        found = _MARKER.search(data, at)
        if found is None:
            return EndState.OPEN, max(at, len(data) - 1)
        at = found.start()
        marker = data[at + 1]
        if marker == _EOI:
            return EndState.WHOLE, at + 2
        if marker == _SOI:
            if bytes(data[at : at + 3]) == START:
                return EndState.CUT, at
            length: int | None = 2 if final or at + 3 <= len(data) else None
        else:
            length = _segment_length(data, at, final=final)
        if length is None:
            return EndState.OPEN, at
        at += length
    return EndState.CUT, at


def _segment_length(data: Data, at: int, *, final: bool) -> int | None:
    """Return the bytes of the segment at `at`, its marker included; None: more bytes must tell.

    Damaged coded data may hold anything, also what looks like a marker. It is one if what it leads
    to is a scan or another marker; else its two bytes are passed over.
    """
    unknown = 2 if final else None
    if at + 5 > len(data):
        return unknown
    marker = data[at + 1]
    length: int = 2 + _SEGMENT(data, at)[1]
    after = at + length
    if marker == _SOS:
        if length < 10 or length != 8 + 2 * data[at + 4]:
            return 2
    elif length < 4:
        return 2
    # As in the header: the picture was cut within the segment, and the next one begins in it.
    if marker not in _FREE_CONTENT and _START.search(data, at, after + 2):
        return 2
    if after + 2 > len(data):
        return unknown
    follows = marker == _SOS or (data[after] == 0xFF and data[after + 1] >= 0xC0)
    return length if follows else 2
