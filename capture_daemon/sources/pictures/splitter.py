"""Cuts a stream of concatenated JPEGs (an .mjpeg file, ffmpeg's pipe) into frames, incrementally.

Its markers say where a picture ends (picture_end.py). A picture that breaks off, because the
next one begins, is handed on as it is: whoever validates frames rejects and counts it. Bytes
between pictures belong to none: zero padding, a maker's trailer, multipart's boundaries. No byte is
walked twice, however the bytes come. Pure.
"""

from __future__ import annotations

from capture_daemon.sources.pictures.markers import EOI, SOI, START, Header
from capture_daemon.sources.pictures.picture_end import PictureEnd

LARGEST_FRAME = 64 << 20
"""Bytes after which a picture without an end is given up, so that memory stays bounded."""


class JpegSplitter:
    """Takes bytes in pieces of any size and gives whole frames back."""

    def __init__(self, largest: int = LARGEST_FRAME) -> None:
        self._largest = largest
        self._buffer = bytearray()
        self._end: PictureEnd | None = None
        """Of the picture at the buffer's front; None: there is none yet."""
        self._gone = 0
        """Bytes of the stream that are no longer in the buffer."""
        self.offsets: list[int] = []
        """Where in the stream the frames begin that were returned last."""

    @property
    def empty(self) -> bool:
        """Whether nothing of a picture is there."""
        return not self._buffer

    def feed(self, data: bytes | memoryview) -> list[bytes]:
        """Add `data` and return the frames that are now whole, oldest first."""
        self.offsets = []
        if not self._buffer and self._is_picture(data):
            self.offsets.append(self._gone)
            self._gone += len(data)
            return [bytes(data)]
        self._buffer += data
        frames = self._take()
        if len(self._buffer) > self._largest:
            frames.append(self._cut(len(self._buffer)))
        return frames

    def flush(self) -> list[bytes]:
        """Return what is left when the stream has ended: its last picture was cut off."""
        self.offsets = []
        frames = self._take(final=True)
        if self._buffer.startswith(START):
            frames.append(self._cut(len(self._buffer)))
        else:
            self._drop(len(self._buffer))
        return frames

    def _take(self, *, final: bool = False) -> list[bytes]:
        frames: list[bytes] = []
        while (end := self._end or self._begin()) is not None:
            at = end.find(self._buffer, final=final)
            if end.is_lost:
                self._drop(self._behind_thumbnails(end.header))
                self._end = None
            elif at:
                frames.append(self._cut(at))
            else:
                break
        return frames

    def _is_picture(self, data: bytes | memoryview) -> bool:
        """Tell whether it is one whole picture and nothing else, as from a program that writes each
        at once: that need not go through the buffer."""
        if not (len(data) <= self._largest and data[:3] == START and data[-2:] == EOI):
            return False
        end = PictureEnd()
        return end.find(data) == len(data) and not end.is_cut

    def _begin(self) -> PictureEnd | None:
        """Bring the beginning of a picture to the buffer's front, if there is one."""
        at = self._buffer.find(START)
        if at >= 0:
            self._end = PictureEnd()
        # The last bytes may be the first of the next start.
        self._drop(at if at >= 0 else max(0, len(self._buffer) - len(START) + 1))
        return self._end

    def _behind_thumbnails(self, header: Header) -> int:
        """Return from where on the next picture may begin, the one at the front being broken.

        Its last whole segment may hold a thumbnail, which is no picture of its own; or, where it
        was cut within that, the beginning of the next one.
        """
        at = max(len(SOI), header.segment)
        while (begin := self._buffer.find(START, at, header.at)) >= 0:
            end = self._buffer.find(EOI, begin, header.at)
            if end < 0:
                break
            at = end + len(EOI)
        return at

    def _cut(self, length: int) -> bytes:
        with memoryview(self._buffer) as view:
            frame = bytes(view[:length])
        self.offsets.append(self._gone)
        self._drop(length)
        self._end = None
        return frame

    def _drop(self, length: int) -> None:
        del self._buffer[:length]
        self._gone += length
