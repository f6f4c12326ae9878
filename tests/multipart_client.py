"""A viewer for tests: reads a multipart stream strictly, and complains of anything out of order."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a stream as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def timestamp(self) -> float:
        """X-Timestamp, seconds UTC."""
        return float(self.headers["x-timestamp"])

    @property
    def sequence(self) -> int:
        """X-Sequence."""
        return int(self.headers["x-sequence"])

    @property
    def is_placeholder(self) -> bool:
        """True for a picture that stands in for a frame."""
        return "x-placeholder" in self.headers


class BrokenStream(Exception):
    """The bytes are not what docs/http.md promises."""


@dataclass
class StreamParser:
    """Bytes in, parts out. Raises BrokenStream at the first thing that is wrong."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    _buffer: bytearray = field(default_factory=bytearray)
    _delimiter: bytes = b""
    _head: dict[str, str] | None = None

    def feed(self, data: bytes) -> Iterator[Part]:
        """Take in bytes and yield the parts that they complete."""
        self._buffer += data
        if not self.status and not self._take_response_head():
            return
        while (part := self._take_part()) is not None:
            yield part

    def _take_response_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        self.status = int(first.split()[1])
        self.headers = _headers(lines)
        if self.status != 200:
            raise BrokenStream(f"status {self.status}")
        if "transfer-encoding" in self.headers:
            raise BrokenStream("chunked")
        boundary = self.headers["content-type"].partition("boundary=")[2].strip('"')
        self._delimiter = b"--" + boundary.encode() + b"\r\n"
        return True

    def _take_part(self) -> Part | None:
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return None
            if not self._buffer.startswith(self._delimiter):
                raise BrokenStream(f"no boundary but {bytes(self._buffer[:60])!r}")
            lines = bytes(self._buffer[len(self._delimiter) : end]).decode("latin-1")
            self._head = _headers(lines.split("\r\n"))
            del self._buffer[: end + 4]
        length = int(self._head["content-length"])
        if len(self._buffer) < length + 2:
            return None
        part = Part(self._head, bytes(self._buffer[:length]))
        if self._buffer[length : length + 2] != b"\r\n":
            raise BrokenStream("a part is longer than its Content-Length")
        del self._buffer[: length + 2]
        self._head = None
        return part


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def request(host: str, port: int, path: str) -> socket.socket:
    """Connect and ask for a path; the answer is the caller's to read."""
    connection = socket.create_connection((host, port), timeout=20)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    return connection
