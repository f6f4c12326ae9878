"""Reads the Motion-JPEG frames of an AVI file: as much of RIFF as that takes, and no more.

Follows Microsoft's "AVI RIFF File Reference" and OpenDML 1.02 (files above 1 GB go on in further
"AVIX" lists). The index is not used: a recording that broke off has none, and reads to its end.
Every size in the file is checked against the file's own.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from capture_daemon.sources.pictures.splitter import LARGEST_FRAME

_MOTION_JPEG = frozenset({b"MJPG", b"JPEG", b"AVRN", b"DMB1"})
"""Codecs whose chunks are JPEGs, in capitals."""
_LISTS = frozenset({b"RIFF", b"LIST"})
_CHUNK = struct.Struct("<4sI")
_STREAM_HEADER = struct.Struct("<4s4s12xII")
"""strh: type, handler, (flags, priority, language, initial frames), scale, rate."""
_PICTURES = (b"dc", b"db")
"""Ends of the ids of compressed and uncompressed pictures; cameras write either."""


class AviError(ValueError):
    """Not an AVI file, or one without Motion-JPEG in it."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    """The id; of a list, its type."""
    is_list: bool
    start: int
    """Offset of the first byte of content."""
    size: int


@dataclass(frozen=True, slots=True)
class _Stream:
    number: int
    fps: float


class AviReader:
    """The video stream of one open file."""

    def __init__(self, file: BinaryIO) -> None:
        """Find the stream. The caller keeps `file` open and closes it.

        Raises:
            AviError: there is nothing here to read.
            OSError: the file cannot be read.
        """
        self._file = file
        self._end = os.fstat(file.fileno()).st_size
        self._stream = self._find_stream()

    @property
    def fps(self) -> float:
        """Frames a second by the stream's header; 0 if it does not say."""
        return self._stream.fps

    def frames(self) -> Iterator[bytes | None]:
        """Yield each frame, as it stands in the file, up to where the file ends or breaks off.

        None stands for one that is larger than LARGEST_FRAME.
        """
        ids = {b"%02d%s" % (self._stream.number, end) for end in _PICTURES}
        for riff in self._chunks(0, self._end):
            for part in self._chunks(riff.start, riff.start + riff.size):
                if part.is_list and part.name == b"movi":
                    yield from self._pictures(part, ids)

    def _pictures(self, movie: _Chunk, ids: set[bytes]) -> Iterator[bytes | None]:
        for chunk in self._chunks(movie.start, movie.start + movie.size):
            if chunk.is_list:  # "rec ": a group of chunks that are read together
                for inner in self._chunks(chunk.start, chunk.start + chunk.size):
                    yield from self._content(inner, ids)
            else:
                yield from self._content(chunk, ids)

    def _content(self, chunk: _Chunk, ids: set[bytes]) -> Iterator[bytes | None]:
        # A chunk of no bytes stands for a frame that the recorder dropped.
        if chunk.name not in ids or not chunk.size:
            return
        if chunk.size > LARGEST_FRAME:
            yield None
            return
        self._file.seek(chunk.start)
        yield self._file.read(chunk.size)

    def _chunks(self, at: int, end: int) -> Iterator[_Chunk]:
        """Yield the chunks between two offsets. A list that breaks off reaches to the end."""
        while at + _CHUNK.size <= end:
            self._file.seek(at)
            head = self._file.read(_CHUNK.size)
            if len(head) < _CHUNK.size:
                return
            name, size = _CHUNK.unpack(head)
            start = at + _CHUNK.size
            if name in _LISTS:
                # A recorder that died left the outermost sizes at 0.
                stop = end if size < 4 else min(end, start + size)
                kind = self._file.read(4)
                yield _Chunk(kind, True, start + 4, max(0, stop - start - 4))
                at = stop + (stop & 1)
            else:
                if start + size > end:
                    return
                yield _Chunk(name, False, start, size)
                at = start + size + (size & 1)

    def _find_stream(self) -> _Stream:
        self._file.seek(0)
        head = self._file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"AVI ":
            raise AviError("it is no AVI file")
        codecs: list[str] = []
        for part in self._chunks(len(head), self._end):
            if not (part.is_list and part.name == b"hdrl"):
                continue
            inner = self._chunks(part.start, part.start + part.size)
            for number, stream in enumerate(c for c in inner if c.is_list and c.name == b"strl"):
                codec, fps = self._describe(stream)
                if codec.upper() in _MOTION_JPEG:
                    return _Stream(number, fps)
                codecs.append(codec.decode("ascii", "replace"))
        found = ", ".join(codecs) or "none"
        raise AviError(f"it holds no Motion-JPEG stream (streams: {found})")

    def _describe(self, stream: _Chunk) -> tuple[bytes, float]:
        """Return (codec, frames a second); a stream that is not video has its kind as codec."""
        codec, fps = b"?", 0.0
        for chunk in self._chunks(stream.start, stream.start + stream.size):
            self._file.seek(chunk.start)
            content = self._file.read(min(chunk.size, _STREAM_HEADER.size))
            if len(content) < _STREAM_HEADER.size:
                continue
            if chunk.name == b"strh":
                kind, _, scale, rate = _STREAM_HEADER.unpack(content)
                if kind != b"vids":
                    return kind, 0.0
                fps = rate / scale if scale else 0.0
            elif chunk.name == b"strf":
                codec = content[16:20]  # BITMAPINFOHEADER.biCompression
        return codec, fps
