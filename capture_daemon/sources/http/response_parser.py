"""An HTTP/1.1 response as it comes in, piece by piece (RFC 9112). Pure: no socket, no time.

Everything that it is fed is hostile until parsed, so each part has a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LARGEST_HEAD = 32 << 10
"""Bytes of status line and headers, those of interim answers included."""
_LARGEST_LINE = 1024
"""Bytes of a chunk's size line."""
_MOST_INTERIM = 8
"""Interim answers (1xx) before the real one; a server that has more to say never comes to it."""

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"(?:HTTP/(\d(?:\.\d)?)|ICY) +(\d{3})(?: +[^\r\n]*)?")
_NO_HEAD = (b"--", b"\xff\xd8\xff", b"Content-Type:", b"Content-type:", b"content-type:")
"""How an answer begins that has no status line, but is one: some cameras' HTTP/0.9."""
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?\Z", re.DOTALL)
_NOT_CHUNKED = (b"--", b"\xff\xd8\xff")


class WireError(ConnectionError):
    """What came is not what the standard, read generously, allows; the message says where."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers."""

    status: int
    headers: Mapping[str, str]
    """Names in small letters; of several with one name, the first."""
    challenges: tuple[str, ...] = ()
    """All WWW-Authenticate headers."""
    keeps_alive: bool = False
    """The server takes another request on this connection."""


def header_lines(block: bytes) -> Iterator[tuple[str, str]]:
    """Yield the names, in small letters, and values of header lines.

    Lines that are none are left out, as every client does.
    """
    for line in block.split(b"\n"):
        name, colon, value = line.decode("latin-1").partition(":")
        if colon and name.strip():
            yield name.strip().lower(), value.strip()


def parse_headers(block: bytes) -> dict[str, str]:
    """Parse header lines; of several with one name, the first counts."""
    headers: dict[str, str] = {}
    for line in block.decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if colon and (name := name.strip()):
            headers.setdefault(name.lower(), value.strip())
    return headers


class ResponseParser:
    """Takes the bytes of one connection and gives those of the body back."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._chunks: _ChunkDecoder | None = None
        self.left: int | None = None
        """Bytes of body still to come; None: where the head does not say it."""
        self._interim = 0
        self.length_told: int | None = None
        """Bytes of the body, where the head says it."""
        self.head: Head | None = None
        """None until it is complete."""
        self.begun = False
        """Something of an answer has come."""
        self.surplus = False
        """More came than belongs to the answer."""

    @property
    def ended(self) -> bool:
        """True when the body is complete; one that ends with the connection never is."""
        return self.left == 0 or (self._chunks is not None and self._chunks.ended)

    @property
    def reusable(self) -> bool:
        """True when the next answer may come on the same connection."""
        if self.head is None or not self.head.keeps_alive or self.surplus:
            return False
        return self.left == 0 or (self._chunks is not None and self._chunks.complete)

    def feed(self, data: bytes | memoryview) -> bytes | memoryview:
        """Add what came and return the bytes of the body in it.

        Raises:
            WireError: it is no HTTP response, or a limit is exceeded.
        """
        self.begun = self.begun or bool(data)
        if self.head is None:
            self._buffer += data
            if not self._parse_head():
                return b""
            data = bytes(self._buffer)
            self._buffer.clear()
        if self._chunks is not None:
            return self._chunks.feed(data)
        if self.left is None:
            return data
        self.surplus = self.surplus or len(data) > self.left
        data = data[: self.left]
        self.left -= len(data)
        return data

    def _parse_head(self) -> bool:
        while True:
            del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))]
            if self._buffer.startswith(_NO_HEAD):
                self.head = Head(200, {})
                return True
            end = _END_OF_HEAD.search(self._buffer)
            if len(self._buffer) > LARGEST_HEAD and (end is None or end.start() > LARGEST_HEAD):
                raise WireError(f"the response's head is larger than {LARGEST_HEAD} bytes")
            status = _STATUS.match(self._buffer)
            if status is None and (end or len(self._buffer) > len(b"HTTP/1.1 200 ")):
                raise WireError("the answer is not HTTP")
            if end is None or status is None:
                return False
            code = int(status[2])
            if code >= 200:
                break
            self._interim += 1
            if code == 101:
                raise WireError("it switches to another protocol")
            if self._interim > _MOST_INTERIM:
                raise WireError(f"it sends interim answers ({code}) without end")
            del self._buffer[: end.end()]
        self._begin_body(status, bytes(self._buffer[status.end() : end.start()]))
        del self._buffer[: end.end()]
        return True

    def _begin_body(self, status: re.Match[bytes], block: bytes) -> None:
        headers = parse_headers(block)
        connection = headers.get("connection", "").lower()
        self.head = Head(
            int(status[2]),
            headers,
            tuple(value for name, value in header_lines(block) if name == "www-authenticate"),
            "close" not in connection and (status[1] == b"1.1" or "keep-alive" in connection),
        )
        if self.head.status in (204, 304):  # RFC 9112, 6.3: whatever the headers say
            self.left = 0
        elif "chunked" in headers.get("transfer-encoding", "").lower():
            self._chunks = _ChunkDecoder()
        elif headers.get("content-type", "").lower().startswith("multipart/"):
            return  # a stream ends with its connection, whatever length a camera makes up
        elif (length := headers.get("content-length", "")).isascii() and length.isdigit():
            self.left = self.length_told = int(length[:18])


class _ChunkDecoder:
    """RFC 9112, 7.1. Extensions and trailers are dropped.

    A body that says that it is chunked and is not is passed on as it is.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0
        self._begun = False
        self._plain = False
        self.ended = False

    @property
    def complete(self) -> bool:
        """Ended, and nothing is left over: neither trailers nor anything after them."""
        return self.ended and bytes(self._buffer) in (b"\r\n", b"\n")

    def feed(self, data: bytes | memoryview) -> bytes | memoryview:
        if self._plain:
            return data
        self._buffer += data
        if self.ended:
            del self._buffer[_LARGEST_LINE:]
            return b""
        if not self._begun and self._buffer.startswith(_NOT_CHUNKED):
            self._plain = True
            return bytes(self._buffer)
        body: list[bytes] = []
        while self._buffer and (self._left or self._next_chunk()):
            piece = bytes(self._buffer[: self._left])
            del self._buffer[: len(piece)]
            self._left -= len(piece)
            body.append(piece)
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
            self._begun = True
            self._left = int(size[1], 16)
            self.ended = self._left == 0
            return not self.ended
        if len(self._buffer) >= _LARGEST_LINE:
            raise WireError("a chunk has no size")
        return False
