"""A strict reader of what a stream sends: anything that is not a whole, well-formed part raises."""

from __future__ import annotations

from dataclasses import dataclass, field

BOUNDARY = b"--boundarydonotcross\r\n"


@dataclass(frozen=True)
class Part:
    headers: dict[str, str]
    body: bytes

    @property
    def sequence(self) -> int:
        return int(self.headers["X-Sequence"])

    @property
    def timestamp(self) -> float:
        return float(self.headers["X-Timestamp"])

    @property
    def placeholder(self) -> str:
        return self.headers.get("X-Placeholder", "")


@dataclass
class Parser:
    """Takes bytes as they come, after the response's head; gives whole parts."""

    buffer: bytearray = field(default_factory=bytearray)
    opened: bool = False

    def feed(self, data: bytes) -> list[Part]:
        self.buffer += data
        parts = []
        if not self.opened and len(self.buffer) >= len(BOUNDARY):
            self._expect(BOUNDARY)
            self.opened = True
        while self.opened and (part := self._part()) is not None:
            parts.append(part)
        return parts

    def _part(self) -> Part | None:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        lines = bytes(self.buffer[:end]).decode("ascii").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers["Content-Length"])
        if len(self.buffer) < end + 4 + length + 2 + len(BOUNDARY):
            return None
        del self.buffer[: end + 4]
        body = bytes(self.buffer[:length])
        del self.buffer[:length]
        self._expect(b"\r\n" + BOUNDARY)
        return Part(headers, body)

    def _expect(self, wanted: bytes) -> None:
        found = bytes(self.buffer[: len(wanted)])
        assert found == wanted, f"{found!r} where {wanted!r} was due"
        del self.buffer[: len(wanted)]


def split_head(data: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return (status line, headers, the rest) of a response that has its whole head."""
    head, _, rest = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), rest
