"""One file of pictures: a JPEG, several one after another, a saved multipart stream, or an AVI.

What a file is, its content says and not its name. It is opened anew for each pass, so that one
which is replaced meanwhile is taken up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from capture_daemon.sources.file.avi import AviReader
from capture_daemon.sources.file.frame_index import FrameIndex, IndexedPass
from capture_daemon.sources.file.picture import EMPTY, TOO_LARGE, Picture, Pictures
from capture_daemon.sources.file.regular import Identity, identify, open_regular
from capture_daemon.sources.pictures.markers import SOI, START, read_header
from capture_daemon.sources.pictures.splitter import JpegSplitter

_PIECE = 256 << 10
_HEAD = 16 << 10
"""Within so many bytes a saved multipart stream has its first picture."""
_MOST_BARREN = 64 << 20
"""Bytes without a picture that one tick may read: a disk image must not keep the thread busy."""
_MOST_STRETCHES = 4
"""So often in a row; then, and at once where there was no picture before, none is to come."""
_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]*\n")
"""A boundary and a part's headers; what curl -i saves begins with the response's."""
_MULTI_PICTURE = b"MPF\0"
"""Marks a first picture whose further ones belong to it (CIPA DC-007), as a 3D camera's do."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One run from the first picture to the last."""

    pictures: Pictures
    fps: float
    """By the file's own word; 0 if it does not say."""


class Recording:
    """One file. A single picture that has not changed is not read again, nor one without any.

    Of a recording that has not changed it is known from its first pass where its pictures are.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._single: tuple[Identity, Picture] | None = None
        self._index: tuple[Identity, FrameIndex] | None = None

    def begin(self) -> Pass:
        """Begin a pass, by what the file is now.

        Raises:
            AviError: it cannot be played.
            OSError: it cannot be read; NotRegularError: it is no regular file.
        """
        identity = identify(self._path)
        if self._single is not None and identity == self._single[0]:
            return Pass((each for each in (self._single[1],)), 0.0)
        if self._index is not None and identity == self._index[0] and self._index[1].complete:
            index = self._index[1]
            return Pass(IndexedPass(open_regular(self._path), index), index.fps)
        self._single = self._index = None
        with open_regular(self._path) as file:
            head = file.read(_HEAD)
            if not head or _begins_as_pictures(head):
                return Pass(self._indexing(_concatenated, 0.0), 0.0)
            fps = AviReader(file).fps
            return Pass(self._indexing(_avi, fps), fps)

    def _indexing(self, read: Callable[[BinaryIO], Pictures], fps: float) -> Pictures:
        """Read the whole file, and remember where its pictures are if all of them are good."""
        index, picture, count = FrameIndex(fps), EMPTY, 0
        with open_regular(self._path) as file:
            identity = Identity.of(os.fstat(file.fileno()))
            settled = identity.settled()
            for picture in read(file):
                count += 1
                index.add(picture)
                yield picture
            unchanged = settled and Identity.of(os.fstat(file.fileno())) == identity
        if count == 1 and settled and not fps:
            self._single = identity, picture._replace(data=b"") if picture.reason else picture
        elif unchanged and index.complete:
            self._index = identity, index


def _concatenated(file: BinaryIO) -> Pictures:
    count = 0
    for at, data in _split(file):
        count += 1
        yield Picture.of(data, at=at)
        if count == 1 and _is_multi_picture(data):
            break
    if not count:
        file.seek(0)
        yield Picture.of(file.read(_HEAD))


def _split(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    splitter = JpegSplitter()
    barren, stretches = 0, _MOST_STRETCHES - 1
    while piece := file.read(_PIECE):
        frames = splitter.feed(piece)
        yield from zip(splitter.offsets, frames, strict=True)
        barren = 0 if frames else barren + len(piece)
        stretches = 0 if frames else stretches
        if barren > _MOST_BARREN:
            barren, stretches = 0, stretches + 1
            yield 0, piece[-1:]
            if stretches == _MOST_STRETCHES:
                return
    frames = splitter.flush()
    yield from zip(splitter.offsets, frames, strict=True)


def _begins_as_pictures(head: bytes) -> bool:
    begin = head.lstrip(b"\r\n\t \0")[: len(SOI)]
    if SOI.startswith(begin):
        return True
    start = head.find(START)
    return start > 0 and _TEXT.fullmatch(head, 0, start) is not None


def _is_multi_picture(data: bytes) -> bool:
    return _MULTI_PICTURE in data[: read_header(data).data_at]


def _avi(file: BinaryIO) -> Pictures:
    for at, data in AviReader(file).frames():
        yield TOO_LARGE if data is None else Picture.of(data, at=at)
