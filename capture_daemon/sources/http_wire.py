"""An HTTP/1.1 response as it comes in, piece by piece (RFC 9112). Pure: no socket, no time.

Everything that it is fed is hostile until parsed, so each part has a limit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LARGEST_HEAD = 32 << 10
"""Bytes of status line and headers."""
_LARGEST_LINE = 1024
"""Bytes of a chunk's size line."""

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?: +([^\r\n]*))?")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?\Z", re.DOTALL)


class WireError(ValueError):
    """What came is not what the standard, read generously, allows; the message says where."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers."""

    status: int
    reason: str
    headers: Mapping[str, str]
    """Names in small letters; of several with one name, the first."""


def parse_headers(block: bytes) -> dict[str, str]:
    """Parse header lines. Lines that are none are left out, as every client does."""
    headers: dict[str, str] = {}
    for line in block.split(b"\n"):
        name, colon, value = line.decode("latin-1").partition(":")
        if colon and name.strip():
            headers.setdefault(name.strip().lower(), value.strip())
    return headers


class ResponseParser:
    """Takes the bytes of one connection and gives those of the body back."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._chunks: _ChunkDecoder | None = None
        self._left: int | None = None
        """Bytes of body still to come; None: until the connection closes."""
        self.head: Head | None = None
        """None until it is complete."""

    @property
    def ended(self) -> bool:
        """True when the body is complete; one that ends with the connection never is."""
        return self._left == 0 or (self._chunks is not None and self._chunks.ended)

    def feed(self, data: bytes) -> bytes:
        """Add what came and return the bytes of the body in it.

        Raises:
            WireError: it is no HTTP response, or a limit is exceeded.
        """
        if self.head is None:
            self._buffer += data
            if not self._parse_head():
                return b""
            data = bytes(self._buffer)
            self._buffer.clear()
        if self._chunks is not None:
            return self._chunks.feed(data)
        if self._left is None:
            return data
        data = data[: self._left]
        self._left -= len(data)
        return data

    def _parse_head(self) -> bool:
        while True:
            end = _END_OF_HEAD.search(self._buffer)
            if len(self._buffer) > LARGEST_HEAD and (end is None or end.start() > LARGEST_HEAD):
                raise WireError(f"the response's head is larger than {LARGEST_HEAD} bytes")
            status = _STATUS.match(self._buffer)
            if status is None and (end or len(self._buffer) > len(b"HTTP/1.1 200 ")):
                raise WireError("the answer is not HTTP")
            if end is None or status is None:
                return False
            head = Head(
                int(status[1]),
                (status[2] or b"").decode("latin-1").strip(),
                parse_headers(bytes(self._buffer[status.end() : end.start()])),
            )
            del self._buffer[: end.end()]
            if head.status >= 200:
                break  # anything lower is followed by the real one
        self.head = head
        if "chunked" in head.headers.get("transfer-encoding", "").lower():
            self._chunks = _ChunkDecoder()
        elif (length := head.headers.get("content-length", "")).isascii() and length.isdigit():
            self._left = int(length[:18])
        return True


class _ChunkDecoder:
    """RFC 9112, 7.1. Extensions and trailers are dropped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        if self.ended:
            return b""
        self._buffer += data
        body: list[bytes] = []
        while True:
            if self._left:
                piece = bytes(self._buffer[: self._left])
                del self._buffer[: len(piece)]
                self._left -= len(piece)
                body.append(piece)
                if self._left:
                    break
            if not self._next_chunk():
                break
        return b"".join(body)

    def _next_chunk(self) -> bool:
        """Read the size line, after the line end of the chunk before; False: more bytes needed."""
        while (end := self._buffer.find(b"\n", 0, _LARGEST_LINE)) >= 0:
            line = bytes(self._buffer[:end]).strip()
            del self._buffer[: end + 1]
            if not line:
                continue
            size = _CHUNK_SIZE.match(line)
            if size is None:
                raise WireError("a chunk's size is not a number")
            self._left = int(size[1], 16)
            self.ended = self._left == 0
            return not self.ended
        if len(self._buffer) >= _LARGEST_LINE:
            raise WireError("a chunk has no size")
        return False
