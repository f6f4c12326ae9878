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


class AviReader:
    """The video stream of one open file."""

    def __init__(self, file: BinaryIO) -> None:
        """Find the stream. The caller keeps `file` open and closes it.

        Raises:
            AviError: there is nothing here to read.
            OSError: the file cannot be read.
        """
        self._file = file
        self._whole = _Chunk(b"", True, 0, os.fstat(file.fileno()).st_size)
        self._number, self.fps = self._find_stream()
        """Frames a second by the stream's header; 0 if it does not say."""

    def frames(self) -> Iterator[tuple[int, bytes | None]]:
        """Yield each frame's offset, and its bytes, up to where the file ends or breaks off.

        None stands for one that is larger than LARGEST_FRAME.
        """
        ids = {b"%02d%s" % (self._number, end) for end in _PICTURES}
        for chunk in self._pictures():
            if chunk.name in ids and chunk.size:  # 0: a frame that the recorder dropped
                self._file.seek(chunk.start)
                fits = chunk.size <= LARGEST_FRAME
                yield chunk.start, self._file.read(chunk.size) if fits else None

    def _pictures(self) -> Iterator[_Chunk]:
        for riff in self._chunks(self._whole):
            for movie in self._lists(riff, b"movi"):
                for chunk in self._chunks(movie):
                    if chunk.is_list:  # "rec ": a group of chunks that are read together
                        yield from self._chunks(chunk)
                    else:
                        yield chunk

    def _lists(self, within: _Chunk, kind: bytes) -> Iterator[_Chunk]:
        return (each for each in self._chunks(within) if each.is_list and each.name == kind)

    def _chunks(self, within: _Chunk) -> Iterator[_Chunk]:
        """Yield the chunks of a list. One that breaks off reaches to the end of what it is in."""
        at, end = within.start, within.start + within.size
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
                yield _Chunk(self._file.read(4), True, start + 4, max(0, stop - start - 4))
                at = stop + (stop & 1)
            else:
                if start + size > end:
                    return
                yield _Chunk(name, False, start, size)
                at = start + size + (size & 1)

    def _find_stream(self) -> tuple[int, float]:
        self._file.seek(0)
        head = self._file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"AVI ":
            raise AviError("it is no AVI file")
        codecs: list[str] = []
        inside = _Chunk(b"AVI ", True, len(head), self._whole.size - len(head))
        for header in self._lists(inside, b"hdrl"):
            for number, stream in enumerate(self._lists(header, b"strl")):
                codec, fps = self._describe(stream)
                if codec.upper() in _MOTION_JPEG:
                    return number, fps
                codecs.append(codec.decode("ascii", "replace"))
        found = ", ".join(codecs) or "none"
        raise AviError(f"it holds no Motion-JPEG stream (streams: {found})")

    def _describe(self, stream: _Chunk) -> tuple[bytes, float]:
        """Return (codec, frames a second); a stream that is not video has its kind as codec."""
        codec, fps = b"?", 0.0
        for chunk in self._chunks(stream):
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
