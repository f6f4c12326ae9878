"""What framebus must know about a JPEG without decoding it (ITU T.81, Annex B and K.3).

Pure functions over bytes. Only the header, some 600 bytes and ten segments, is walked in Python;
whatever concerns the entropy-coded rest is left to searches that run in C. At 60 frames of 1080p a
second all of it together costs a fraction of a percent of a core.

Frames are passed on byte for byte. Zero padding after EOI, which good cameras send, therefore
stays: every decoder ignores it, it compresses nobody's picture, and cutting it would make a frame
differ from what the camera said. The one exception to "byte for byte" is `with_huffman_tables`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SOI = b"\xff\xd8"
EOI = b"\xff\xd9"

_DHT = 0xC4
_SOS = 0xDA
_EOI = 0xD9
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length: TEM, RST0-7, SOI."""
_FRAME_HEADERS = frozenset(set(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC})
"""SOF0 to SOF15; C4 is DHT, C8 reserved, CC arithmetic conditioning."""
_HUFFMAN_BASELINE = frozenset({0xC0, 0xC1})
"""The frame types that the standard tables of K.3 can serve."""

_MOST_SEGMENTS = 256
"""More is no camera: the bound keeps hostile headers from costing a walk of 50,000 steps."""
_TAIL = 64
"""Bytes of the tail looked at first; padding is seldom longer."""


class HeaderState(Enum):
    """How far a walk of the header came."""

    COMPLETE = "complete"
    """Up to the first scan (SOS)."""
    INCOMPLETE = "incomplete"
    """The data ends first; more bytes may complete it."""
    MALFORMED = "malformed"
    """No header, whatever follows."""


@dataclass(frozen=True, slots=True)
class Header:
    """The segments before the first scan's data."""

    state: HeaderState
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


def read_header(data: memoryview | bytes | bytearray, start: int = 0) -> Header:
    """Walk the segments from SOI at `start` to the first SOS. Never raises, whatever `data` is."""
    if bytes(data[start : start + 2]) != SOI:
        short = len(data) - start < 2 and SOI.startswith(bytes(data[start:]))
        return Header(HeaderState.INCOMPLETE if short else HeaderState.MALFORMED)
    at, end = start + 2, len(data)
    frame_type = width = height = 0
    has_tables = False
    for _ in range(_MOST_SEGMENTS):
        if at + 4 > end:
            return Header(HeaderState.INCOMPLETE)
        if data[at] != 0xFF:
            return Header(HeaderState.MALFORMED)
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte (B.1.1.2)
            at += 1
            continue
        if marker in _STANDALONE:
            at += 2
            continue
        length = data[at + 2] << 8 | data[at + 3]
        if marker in (0x00, _EOI) or length < 2:
            return Header(HeaderState.MALFORMED)
        after = at + 2 + length
        if after > end:
            return Header(HeaderState.INCOMPLETE)
        if marker == _SOS:
            return Header(HeaderState.COMPLETE, at, after, frame_type, width, height, has_tables)
        if marker == _DHT:
            has_tables = True
        elif marker in _FRAME_HEADERS and length >= 7:
            frame_type = marker
            height = data[at + 5] << 8 | data[at + 6]
            width = data[at + 7] << 8 | data[at + 8]
        at = after
    return Header(HeaderState.MALFORMED)


def check(data: memoryview | bytes) -> str | None:
    """Return why `data` is no whole JPEG: "empty", "no-soi", "no-eoi"; None if it is one.

    Only the ends are looked at. Zeros after EOI are padding; anything else there means that the
    picture was cut or that two were mixed.
    """
    if not len(data):
        return "empty"
    if bytes(data[:2]) != SOI:
        return "no-soi"
    window = _TAIL
    while True:
        tail = bytes(data[-window:]).rstrip(b"\0")
        if len(tail) >= 2 or window >= len(data):
            return None if tail.endswith(EOI) else "no-eoi"
        window *= 16


def size(data: memoryview | bytes) -> tuple[int, int]:
    """Return (width, height) in pixels from the frame header; (0, 0) if there is none."""
    header = read_header(data)
    return header.width, header.height


def has_huffman_tables(data: memoryview | bytes) -> bool:
    """Return False for a baseline picture that reaches its scan without a DHT segment.

    True for everything that the standard tables could not help: arithmetic or progressive coding,
    a header that is broken.
    """
    header = read_header(data)
    return not _lacks_tables(header)


def with_huffman_tables(data: memoryview | bytes) -> bytes:
    """Return `data` with the standard Huffman tables before its scan, where it has none.

    Tables may stand anywhere before the scan that uses them (B.2.1); right before SOS leaves
    SOI and APPn, on which decoders depend, where they are.
    """
    header = read_header(data)
    if not _lacks_tables(header):
        return bytes(data)
    at = header.scan_at
    return b"".join((data[:at], STANDARD_TABLES, data[at:]))


def _lacks_tables(header: Header) -> bool:
    return (
        header.state is HeaderState.COMPLETE
        and not header.has_tables
        and header.frame_type in _HUFFMAN_BASELINE
    )


def _standard_tables() -> bytes:
    """Build one DHT segment with the four typical tables of T.81, K.3.3 (tables K.3 to K.6).

    The AC values are long lists of which all but the first codes are every (run, size) pair in
    the order of the standard; they are given as the standard prints them, in hexadecimal.
    """
    dc_values = bytes(range(12))
    tables = (
        (0x00, "00010501010101010100000000000000", dc_values),
        (0x10, "0002010303020403050504040000017d", bytes.fromhex(_AC_LUMINANCE)),
        (0x01, "00030101010101010101010000000000", dc_values),
        (0x11, "00020102040403040705040400010277", bytes.fromhex(_AC_CHROMINANCE)),
    )
    body = b"".join(bytes([which]) + bytes.fromhex(counts) + v for which, counts, v in tables)
    return bytes([0xFF, _DHT]) + (len(body) + 2).to_bytes(2, "big") + body


_AC_LUMINANCE = """
01 02 03 00 04 11 05 12 21 31 41 06 13 51 61 07 22 71 14 32 81 91 a1 08 23 42 b1 c1 15 52 d1 f0
24 33 62 72 82 09 0a 16 17 18 19 1a 25 26 27 28 29 2a 34 35 36 37 38 39 3a 43 44 45 46 47 48 49
4a 53 54 55 56 57 58 59 5a 63 64 65 66 67 68 69 6a 73 74 75 76 77 78 79 7a 83 84 85 86 87 88 89
8a 92 93 94 95 96 97 98 99 9a a2 a3 a4 a5 a6 a7 a8 a9 aa b2 b3 b4 b5 b6 b7 b8 b9 ba c2 c3 c4 c5
c6 c7 c8 c9 ca d2 d3 d4 d5 d6 d7 d8 d9 da e1 e2 e3 e4 e5 e6 e7 e8 e9 ea f1 f2 f3 f4 f5 f6 f7 f8
f9 fa
"""
_AC_CHROMINANCE = """
00 01 02 03 11 04 05 21 31 06 12 41 51 07 61 71 13 22 32 81 08 14 42 91 a1 b1 c1 09 23 33 52 f0
15 62 72 d1 0a 16 24 34 e1 25 f1 17 18 19 1a 26 27 28 29 2a 35 36 37 38 39 3a 43 44 45 46 47 48
49 4a 53 54 55 56 57 58 59 5a 63 64 65 66 67 68 69 6a 73 74 75 76 77 78 79 7a 82 83 84 85 86 87
88 89 8a 92 93 94 95 96 97 98 99 9a a2 a3 a4 a5 a6 a7 a8 a9 aa b2 b3 b4 b5 b6 b7 b8 b9 ba c2 c3
c4 c5 c6 c7 c8 c9 ca d2 d3 d4 d5 d6 d7 d8 d9 da e2 e3 e4 e5 e6 e7 e8 e9 ea f2 f3 f4 f5 f6 f7 f8
f9 fa
"""
STANDARD_TABLES = _standard_tables()
"""One DHT segment, 420 bytes, marker included."""
