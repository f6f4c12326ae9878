"""What framebus must know about a JPEG without decoding it (ITU T.81, Annex B).

Whatever a decoder shows is a frame: line ends, a maker's trailer or a second picture after the
end-of-image marker (EOI) are no fault, nor are fill bytes before markers. A picture that was cut is
none. Frames are passed on byte for byte from SOI to EOI. What stands before and after is left out:
no decoder looks at it, and every viewer would be sent it. The one other exception to "byte for
byte" is `with_huffman_tables`.

Pure functions over bytes. Of a picture the header is walked, some 600 bytes and ten segments, if it
is not that of the picture before, and an EOI is looked for in its last bytes, where nearly all have
it. The whole scan is
searched, at about a byte a cycle, where there is none, and if `thorough`: a picture that was cut,
followed by a whole one, has an end too. Without markers in it, a missing middle is not noticed.
"""

from __future__ import annotations

from typing import NamedTuple

from framebus.contract.words import Rejection

from capture_daemon.sources.pictures.huffman import STANDARD_TABLES
from capture_daemon.sources.pictures.markers import (
    EOI,
    SOI,
    EndState,
    Header,
    HeaderState,
    find_end,
    read_header,
)

_BLANK = b"\r\n\t \0"
_TAIL = 64
"""Bytes of the tail looked at first; what follows EOI is seldom longer."""


class Examined(NamedTuple):
    """What is known of one picture."""

    reason: Rejection | None
    """Why it is no whole JPEG: "empty", "no-soi", "bad-header" or "no-eoi"; None if it is one."""
    start: int
    """Where it begins: line ends before SOI do not belong to it."""
    end: int
    """Where it ends, after its EOI; 0 unless whole."""
    header: Header


class Known(NamedTuple):
    """A header that was walked before."""

    data: bytes
    """Its bytes, from SOI to the coded data."""
    header: Header


NOTHING_KNOWN = Known(b"", Header(HeaderState.INCOMPLETE))


def examine(
    data: memoryview | bytes, *, thorough: bool = False, known: Known = NOTHING_KNOWN
) -> Examined:
    """Say whether `data` begins with a whole JPEG, and where that ends. Never raises.

    With `thorough` the whole scan is searched also where an EOI stands at the end, so that a
    picture that any other one cuts is found out. A header that is `known` is not walked again.
    """
    start = 0
    if known.data and data[: known.header.data_at] == known.data:
        header = known.header
    else:
        header = read_header(data)
    if header.state is not HeaderState.COMPLETE:
        start = _blank_length(data)
        if start:
            header = read_header(data, start)
        if header.state is not HeaderState.COMPLETE:
            return Examined(_why_no_header(data, start, header), start, 0, header)
    end = 0 if thorough else _end_in_tail(data, header.data_at)
    if not end:
        state, at = find_end(data, header.data_at, final=True)
        end = at if state is EndState.WHOLE else 0
    return Examined(None if end else "no-eoi", start, end, header)


def _end_in_tail(data: memoryview | bytes, data_at: int) -> int:
    """Return where the EOI among the last bytes ends, zero padding aside; 0 if there is none."""
    begin = max(data_at, len(data) - _TAIL)
    tail = bytes(data[begin:])
    at = tail.rfind(EOI)
    if at >= 0:
        return begin + at + len(EOI)
    window = _TAIL
    while begin > data_at and len(tail.rstrip(b"\0")) < len(EOI):
        window *= 16
        begin = max(data_at, len(data) - window)
        tail = bytes(data[begin:])
    tail = tail.rstrip(b"\0")
    return begin + len(tail) if tail.endswith(EOI) else 0


def _blank_length(data: memoryview | bytes) -> int:
    head = bytes(data[:_TAIL])
    return len(head) - len(head.lstrip(_BLANK))


def _why_no_header(data: memoryview | bytes, start: int, header: Header) -> Rejection:
    if not len(data):
        return "empty"
    if bytes(data[start : start + 2]) != SOI:
        return "no-soi"
    return "no-eoi" if header.state is HeaderState.INCOMPLETE else "bad-header"


def size(data: memoryview | bytes) -> tuple[int, int]:
    """Return (width, height) in pixels from the frame header; (0, 0) if there is none."""
    header = read_header(data)
    return header.width, header.height


def with_huffman_tables(data: memoryview | bytes) -> bytes:
    """Return `data` with the standard Huffman tables before its scan, where it has none.

    Tables may stand anywhere before the scan that uses them (B.2.1); right before SOS leaves
    SOI and APPn, on which decoders depend, where they are.
    """
    header = read_header(data)
    if not header.lacks_tables:
        return bytes(data)
    at = header.scan_at
    return b"".join((data[:at], STANDARD_TABLES, data[at:]))
