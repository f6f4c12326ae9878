"""One file of pictures: a JPEG, several one after another, a saved multipart stream, or an AVI.

What a file is, its content says and not its name. It is opened anew for each pass, so that one
which is replaced meanwhile is taken up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from capture_daemon.sources.file.avi import AviReader
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
    """One file. A single picture that has not changed is not read again, nor one without any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._single: tuple[Identity, Picture] | None = None

    def begin(self) -> Pass:
        """Begin a pass, by what the file is now.

        Raises:
            AviError: it cannot be played.
            OSError: it cannot be read; NotRegularError: it is no regular file.
        """
        if self._single is not None and identify(self._path) == self._single[0]:
            return Pass((each for each in (self._single[1],)), 0.0)
        self._single = None
        with open_regular(self._path) as file:
            head = file.read(_HEAD)
            if not head or _begins_as_pictures(head):
                return Pass(self._concatenated(), 0.0)
            return Pass(_avi(self._path), AviReader(file).fps)

    def _concatenated(self) -> Pictures:
        picture, count = EMPTY, 0
        with open_regular(self._path) as file:
            identity = Identity.of(os.fstat(file.fileno()))
            settled = identity.settled()
            for data in _split(file):
                picture, count = Picture.of(data), count + 1
                yield picture
                if count == 1 and _is_multi_picture(data):
                    break
            if not count:
                file.seek(0)
                yield Picture.of(file.read(_HEAD))
        if count == 1 and settled:
            self._single = identity, Picture(b"", picture.reason) if picture.reason else picture


def _split(file: BinaryIO) -> Iterator[bytes]:
    splitter = JpegSplitter()
    barren, stretches = 0, _MOST_STRETCHES - 1
    while piece := file.read(_PIECE):
        frames = splitter.feed(piece)
        yield from frames
        barren = 0 if frames else barren + len(piece)
        stretches = 0 if frames else stretches
        if barren > _MOST_BARREN:
            barren, stretches = 0, stretches + 1
            yield piece[-1:]
            if stretches == _MOST_STRETCHES:
                return
    yield from splitter.flush()


def _begins_as_pictures(head: bytes) -> bool:
    begin = head.lstrip(b"\r\n\t \0")[: len(SOI)]
    if SOI.startswith(begin):
        return True
    start = head.find(START)
    return start > 0 and _TEXT.fullmatch(head, 0, start) is not None


def _is_multi_picture(data: bytes) -> bool:
    return _MULTI_PICTURE in data[: read_header(data).data_at]


def _avi(path: Path) -> Pictures:
    with open_regular(path) as file:
        for data in AviReader(file).frames():
            yield TOO_LARGE if data is None else Picture.of(data)
