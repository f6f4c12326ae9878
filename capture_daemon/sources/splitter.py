"""Cuts a stream of concatenated JPEGs (an .mjpeg file, ffmpeg's pipe) into frames, incrementally.

A picture that breaks off, because the next one begins, is handed on as it is: whoever validates
frames rejects and counts it. Bytes between pictures, zero padding for one, belong to none. Pure.
"""

from __future__ import annotations

from capture_daemon.sources.jpeg import EOI, SOI, HeaderState, read_header

LARGEST_FRAME = 64 << 20
"""Bytes after which a picture without an end is given up, so that memory stays bounded."""

_START = SOI + b"\xff"
"""SOI and the first byte of the marker that must follow it."""


class JpegSplitter:
    """Takes bytes in pieces of any size and gives whole frames back."""

    def __init__(self, largest: int = LARGEST_FRAME) -> None:
        self._largest = largest
        self._buffer = bytearray()
        self._data_at = 0
        """Where the picture's coded data begins; 0 until its header is complete."""
        self._searched = 0
        """Up to here there is no EOI."""

    def feed(self, data: bytes | memoryview) -> list[bytes]:
        """Add `data` and return the frames that are now whole, oldest first."""
        self._buffer += data
        frames: list[bytes] = []
        while (frame := self._take()) is not None:
            frames.append(frame)
        if len(self._buffer) > self._largest:
            frames.append(self._cut(len(self._buffer)))
        return frames

    def flush(self) -> bytes:
        """Return the picture that the end of the stream cut off; empty if there is none."""
        rest = self._cut(len(self._buffer))
        return rest if rest.startswith(_START) else b""

    def _take(self) -> bytes | None:
        if not self._data_at and not self._find_picture():
            return None
        end = self._buffer.find(EOI, self._searched)
        if end < 0:
            self._searched = max(self._data_at, len(self._buffer) - 1)
            return None
        # Coded data holds no marker but RSTm, so a start in it means that the end was lost.
        next_start = self._buffer.find(_START, self._data_at, end)
        return self._cut(end + len(EOI) if next_start < 0 else next_start)

    def _find_picture(self) -> bool:
        """Bring a picture with a complete header to the buffer's front, if there is one."""
        at = 0
        while (at := self._buffer.find(_START, at)) >= 0:
            header = read_header(self._buffer, at)
            if header.state is HeaderState.MALFORMED:
                at += len(SOI)
                continue
            del self._buffer[:at]
            if header.state is HeaderState.INCOMPLETE:
                return False
            self._data_at = self._searched = header.data_at - at
            return True
        # The last bytes may be the first of the next start.
        del self._buffer[: max(0, len(self._buffer) - len(_START) + 1)]
        return False

    def _cut(self, length: int) -> bytes:
        with memoryview(self._buffer) as view:
            frame = bytes(view[:length])
        del self._buffer[:length]
        self._data_at = self._searched = 0
        return frame
