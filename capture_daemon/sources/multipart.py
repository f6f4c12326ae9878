"""The parts of a multipart/x-mixed-replace stream, incrementally (RFC 2046, 5.1). Pure.

Cameras bend the standard, and what is read here is what they send: the header's boundary with or
without the dashes that belong to the delimiter, quoted or not; parts with and without
Content-Length; line ends of one byte or two; no line end before a delimiter. A Content-Length that
is wrong costs that part, and the next delimiter is searched for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from capture_daemon.sources.http_wire import parse_headers
from capture_daemon.sources.splitter import LARGEST_FRAME

LARGEST_PART_HEAD = 16 << 10
"""Bytes of one part's headers."""
_LARGEST_BOUNDARY = 256

_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]*)\"|([^;\s]+))", re.IGNORECASE)
_LINE_REST = re.compile(rb"(--)?[ \t]{0,64}\r?\n")
_LINE_REST_BEGUN = re.compile(rb"(?:-|--)?[ \t]{0,64}\r?\Z")
_END_OF_HEAD = re.compile(rb"\A\r?\n|\r?\n\r?\n")


class MultipartError(ValueError):
    """The stream cannot be followed any further; the message says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part."""

    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes


@dataclass(frozen=True, slots=True)
class _Delimiter:
    start: int
    """Where what is before it ends."""
    end: int
    """Where what is after it begins."""
    closing: bool


def boundary_of(content_type: str) -> str:
    """Return the boundary that a Content-Type names, as it stands there.

    Raises:
        MultipartError: it is not multipart, or names none.
    """
    found = _BOUNDARY.search(content_type)
    boundary = (found[1] or found[2] or "") if found else ""
    if not content_type.lower().startswith("multipart/"):
        raise MultipartError(f"its type is {content_type[:80] or 'not given'!r}, not multipart")
    if not boundary.strip("- ") or len(boundary) > _LARGEST_BOUNDARY:
        raise MultipartError(f"its type {content_type[:80]!r} names no usable boundary")
    return boundary


class MultipartParser:
    """Takes bytes in pieces of any size and gives whole parts back."""

    def __init__(self, boundary: str, *, largest: int = LARGEST_FRAME) -> None:
        """`boundary` as `boundary_of` returns it; `largest` part in bytes."""
        self._token = boundary.strip().lstrip("-").encode("latin-1", "replace")
        self._largest = largest
        self._buffer = bytearray()
        self._headers: Mapping[str, str] | None = None
        """Of the part that is coming in; None: its head is not complete."""
        self._in_part = False
        """A delimiter was seen and its part is not complete."""
        self._length: int | None = None
        """Of the body, where the part says it."""
        self._searched = 0
        """Up to here there is no delimiter."""
        self.ended = False
        """The closing delimiter was seen; what follows is ignored."""

    def feed(self, data: bytes) -> list[Part]:
        """Add what came and return the parts that are now whole, oldest first.

        Raises:
            MultipartError: a limit is exceeded.
        """
        if self.ended:
            return []
        self._buffer += data
        parts: list[Part] = []
        while not self.ended and self._step(parts):
            pass
        if len(self._buffer) > self._largest + LARGEST_PART_HEAD:
            raise MultipartError(f"a part is larger than {self._largest} bytes")
        return parts

    def _step(self, parts: list[Part]) -> bool:
        """Do what the bytes allow; False when more are needed."""
        if not self._in_part:
            return self._enter_part()
        if self._headers is None:
            return self._take_head()
        if self._length is not None:
            if len(self._buffer) < self._length:
                return False
            body, after = bytes(self._buffer[: self._length]), self._length
            self._in_part = False
        else:
            delimiter = self._find_delimiter()
            if delimiter is None:
                return False
            body, after = bytes(self._buffer[: delimiter.start]), delimiter.end
            self.ended = delimiter.closing
        parts.append(Part(self._headers, body))
        self._headers = None
        self._consume(after)
        return True

    def _enter_part(self) -> bool:
        delimiter = self._find_delimiter()
        if delimiter is None:
            # Whatever stands before a delimiter is dropped; its own first bytes may be here.
            self._consume(max(0, self._searched - _LARGEST_BOUNDARY))
            return False
        self._consume(delimiter.end)
        self.ended = delimiter.closing
        self._in_part = True
        return True

    def _take_head(self) -> bool:
        end = _END_OF_HEAD.search(self._buffer, 0, LARGEST_PART_HEAD)
        if end is None:
            if len(self._buffer) >= LARGEST_PART_HEAD:
                raise MultipartError(f"a part's head is larger than {LARGEST_PART_HEAD} bytes")
            return False
        self._headers = parse_headers(bytes(self._buffer[: end.start()]))
        length = self._headers.get("content-length", "")
        self._length = int(length[:18]) if length.isascii() and length.isdigit() else None
        if self._length is not None and self._length > self._largest:
            raise MultipartError(f"a part of {self._length} bytes is larger than {self._largest}")
        self._consume(end.end())
        return True

    def _find_delimiter(self) -> _Delimiter | None:
        at = self._searched
        while (at := self._buffer.find(self._token, at)) >= 0:
            after = at + len(self._token)
            rest = _LINE_REST.match(self._buffer, after)
            if rest is not None:
                return _Delimiter(self._line_start(at), rest.end(), rest[1] is not None)
            if _LINE_REST_BEGUN.match(self._buffer, after):
                self._searched = at
                return None
            at += 1
        self._searched = max(self._searched, len(self._buffer) - len(self._token) + 1, 0)
        return None

    def _line_start(self, at: int) -> int:
        """Return where the delimiter whose token is at `at` begins: its dashes, its line end."""
        window = bytes(self._buffer[max(0, at - _LARGEST_BOUNDARY) : at])
        before = window.rstrip(b"-").removesuffix(b"\n").removesuffix(b"\r")
        return at - (len(window) - len(before))

    def _consume(self, length: int) -> None:
        del self._buffer[:length]
        self._searched = max(0, self._searched - length)
