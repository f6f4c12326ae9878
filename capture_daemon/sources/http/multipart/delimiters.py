"""The lines between a multipart stream's parts: what they are, and where the next one is. Pure.

The boundary that a Content-Type names is a hint, since cameras name none, or another than they
send; what the first delimiter line says holds.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LARGEST_BOUNDARY = 256

_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]*)\"|([^;\s]+))", re.IGNORECASE)
_LINE_REST = re.compile(rb"-{0,64}[ \t]{0,64}\r?\n")
_LINE_REST_BEGUN = re.compile(rb"-{0,64}[ \t]{0,64}\r?\Z")
_HEADER = re.compile(rb"[\r\n]*[A-Za-z][A-Za-z0-9-]{0,40}[ \t]*:")
_PICTURE = re.compile(rb"[\r\n]*\xff\xd8\xff")
_BEGUN = re.compile(rb"[\r\n]*(?:[A-Za-z][A-Za-z0-9-]{0,40}[ \t]*|\xff\xd8?)?\Z")
_MOST_AHEAD = 64
"""Bytes after a line that tell whether it is a delimiter."""


class Delimiter(NamedTuple):
    """One delimiter line."""

    start: int
    """Where what is before it ends."""
    end: int
    """Where what is after it begins."""


def boundary_of(content_type: str) -> str:
    """Return the boundary that a Content-Type names, as it stands there; empty if it names none."""
    found = _BOUNDARY.search(content_type)
    boundary = (found[1] or found[2] or "").strip() if found else ""
    return boundary if len(boundary) <= LARGEST_BOUNDARY else ""


class DelimiterFinder:
    """Finds delimiters in a buffer that grows at its end and is consumed at its beginning."""

    def __init__(self, boundary: str) -> None:
        """`boundary` may be empty, and wrong."""
        self._token = _bare(boundary.encode("latin-1", "replace"))
        self._dashed = True
        self.searched = 0
        """Up to here there is no delimiter."""
        self.seen = False
        """A delimiter was there: what it looks like is known for sure."""

    def is_one(self, line: bytes) -> bool:
        """Tell whether a line without its end is a delimiter."""
        return bool(self._token) and _bare(line) == self._token and line.startswith(b"--")

    def learn(self, line: bytes, after: bytes | bytearray) -> bool | None:
        """Tell whether `line` is the first delimiter, and remember it; None: too little is there.

        It is, if the header names it; or else if it begins with two dashes and headers follow, or a
        picture.
        """
        line = line.strip()
        named = bool(self._token) and _bare(line) == self._token
        if not named:
            ahead = bytes(after[:_MOST_AHEAD])
            if not line.startswith(b"--"):
                return False
            if not _is_part(ahead):
                return None if len(ahead) < _MOST_AHEAD and _BEGUN.match(ahead) else False
            self._token = _bare(line)
        self._dashed = line.startswith(b"--")
        self.seen = True
        self.searched = 0
        return True

    def learn_another(self, data: bytearray) -> int:
        """Return where what is behind the line right behind a part begins, if that is a delimiter.

        0: it is none. Another one than at the parts before is remembered in its place.
        """
        ahead = bytes(data[: LARGEST_BOUNDARY + _MOST_AHEAD])
        line, end, after = ahead.lstrip(b"\r\n").partition(b"\n")
        found = end and line.startswith(b"--") and self.learn(line, after)
        return len(ahead) - len(after) if found else 0

    def find(self, data: bytearray) -> Delimiter | None:
        """Return the first delimiter that is complete; None if there is none (yet)."""
        if not self._token:
            return None
        needle = self._token
        if self._dashed and not needle.startswith(b"-"):
            needle = b"--" + needle
        at = self.searched
        while (at := data.find(needle, at)) >= 0:
            self.searched = at
            rest = _LINE_REST.match(data, at + len(needle))
            if self._dashed or _begins_line(data, at):
                if rest is not None:
                    return Delimiter(self._line_start(data, at), rest.end())
                if _LINE_REST_BEGUN.match(data, at + len(needle)):
                    return None
            at += 1
        self.searched = max(self.searched, len(data) - len(needle) + 1, 0)
        return None

    def headed(self, data: bytearray, delimiter: Delimiter) -> bool:
        """Tell whether a part begins after the delimiter, as far as can be seen."""
        return _is_part(bytes(data[delimiter.end : delimiter.end + _MOST_AHEAD]))

    def may_begin(self, rest: bytes) -> bool:
        """Tell whether `rest`, what is behind a picture, is a delimiter or the beginning of one."""
        line = rest.lstrip(b"\0\r\n ")
        text = line.lstrip(b"-")
        return line != text or (bool(text) and self._token.startswith(text[: len(self._token)]))

    def consumed(self, length: int) -> None:
        """Take note that so many bytes were taken from the buffer's beginning."""
        self.searched = max(0, self.searched - length)

    def _line_start(self, data: bytearray, at: int) -> int:
        """Return where the delimiter found at `at` begins: further dashes, the line end before."""
        window = bytes(data[max(0, at - LARGEST_BOUNDARY) : at])
        before = window.rstrip(b"-").removesuffix(b"\n").removesuffix(b"\r")
        return at - (len(window) - len(before))


def _begins_line(data: bytearray, at: int) -> bool:
    """Tell whether nothing but dashes stands before `at` in its line."""
    before = bytes(data[max(0, at - LARGEST_BOUNDARY) : at]).rstrip(b"-")
    return not before or before.endswith(b"\n")


def _bare(line: bytes) -> bytes:
    """Return a delimiter without its dashes; one of nothing but dashes as it is."""
    return line.strip(b"-") or line


def _is_part(ahead: bytes) -> bool:
    return bool(_HEADER.match(ahead) or _PICTURE.match(ahead))
