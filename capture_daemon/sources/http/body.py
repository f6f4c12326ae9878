"""The pictures in an HTTP answer's body, whatever the answer calls itself. Pure.

Servers call a stream anything (ffmpeg's and VLC's own say application/octet-stream), so the body's
first bytes decide: a delimiter or a part's header, the beginning of a JPEG, or something else,
which is then called by its name.
"""

from __future__ import annotations

from collections.abc import Mapping

from capture_daemon.sources.http.multipart.delimiters import boundary_of
from capture_daemon.sources.http.multipart.parser import MultipartParser
from capture_daemon.sources.http.multipart.part import Part
from capture_daemon.sources.http.response_parser import Head
from capture_daemon.sources.pictures import sniffing
from capture_daemon.sources.pictures.markers import START
from capture_daemon.sources.pictures.splitter import LARGEST_FRAME, JpegSplitter

_FIRST = 4 << 10
"""Bytes in which something must be found that is of a stream of pictures."""
_MOST_OTHERS = 1000
"""Parts without a picture among them after which there will be none."""
_HEADERS = (b"content-type:", b"content-length:")


class NoPictures(Exception):
    """The body is something else; the message says what, for people."""


class _OnePicture:
    """Takes the bytes of a picture whose length is known; it is passed on as it is."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._buffer = bytearray()

    def feed(self, data: bytes | memoryview) -> list[bytes]:
        self._buffer += data
        return self.flush() if len(self._buffer) >= self._length else []

    def flush(self) -> list[bytes]:
        picture, self._buffer = bytes(self._buffer), bytearray()
        return [picture] if picture else []


class BodyParser:
    """Takes the bytes of one body and gives its pictures back."""

    def __init__(self, head: Head, length: int | None) -> None:
        """`length` is the body's in bytes, None if it is not known."""
        self._headers: Mapping[str, str] = head.headers
        self._type = head.headers.get("content-type", "")
        self._length = length
        self._buffer = bytearray()
        self._parts: MultipartParser | None = None
        self._splitter: JpegSplitter | _OnePicture | None = None
        self._pictures = 0
        """How many came."""
        self.over = False
        """It is complete."""

    @property
    def is_multipart(self) -> bool:
        """Whether it says so, or was found to be."""
        return self._parts is not None or self._type.lower().startswith("multipart/")

    @property
    def decided(self) -> bool:
        """Whether it is known what it is: at once for what says so, by its first bytes else."""
        if self.is_multipart or self.over:
            return True
        return self._is_begun and (not self._is_image or self._pictures > 0)

    @property
    def may_be_one(self) -> bool:
        """Whether it calls itself one picture and has given one."""
        return self._is_image and self._pictures == 1 and not self.is_multipart

    @property
    def was_one(self) -> bool:
        """Whether it was one picture, and nothing else."""
        return self.over and self._pictures == 1

    @property
    def missing(self) -> int:
        """How many bytes at least must come before there can be another picture."""
        return 1 if self._parts is None else self._parts.missing

    @property
    def others(self) -> str:
        """What came that is no picture, for people; empty if nothing did."""
        if self._parts is not None:
            return self._parts.others
        return (sniffing.kind_of(bytes(self._buffer)) or self._said()) if self._buffer else ""

    def feed(self, data: bytes | memoryview) -> list[Part]:
        """Add what came and return the pictures that are now whole, oldest first.

        Raises:
            NoPictures: it is no JPEG and no stream of them.
            WireError: a limit is exceeded.
        """
        if not self._is_begun:
            self._buffer += data
            if not self._decide():
                return []
            data = bytes(self._buffer)
            self._buffer.clear()
        found = self._take(data)
        self._pictures += len(found)
        return found

    def finish(self) -> list[Part]:
        """Take note of the body's end; return what it completes.

        Raises NoPictures: it was something else, or nothing.
        """
        self.over = True
        if not self._is_begun:
            raise NoPictures(self.others or sniffing.NOTHING)
        rest = [] if self._splitter is None else self._splitter.flush()
        self._pictures += len(rest)
        return [Part(self._headers, each) for each in rest]

    # -- inside ----------------------------------------------------------------------------

    @property
    def _is_image(self) -> bool:
        """Whether it says that it is one picture."""
        return self._type.lower().startswith("image/")

    @property
    def _is_begun(self) -> bool:
        """Whether its first bytes have told what it is."""
        return self._parts is not None or self._splitter is not None

    def _decide(self) -> bool:
        """Find out what it is; False if more bytes are needed."""
        begin = bytes(self._buffer[:_FIRST])
        text = begin.lstrip(b"\r\n\t ")
        if text.startswith(START):
            return self._expect_pictures()
        if text.startswith(b"--") or text.lower().startswith(_HEADERS):
            return self._expect_parts()
        if len(text) < sniffing.ENOUGH:
            return False
        if kind := sniffing.kind_of(begin):
            raise NoPictures(kind)
        if self.is_multipart:  # a preamble
            return self._expect_parts()
        if (at := begin.find(START)) >= 0:
            del self._buffer[:at]
            return self._expect_pictures()
        if b"\n--" in begin and self._is_vague():
            return self._expect_parts()
        if len(begin) == _FIRST or not self._is_vague():
            raise NoPictures(self._said())
        return False

    def _expect_parts(self) -> bool:
        self._parts = MultipartParser(boundary_of(self._type))
        return True

    def _expect_pictures(self) -> bool:
        if self._is_image and self._length is not None and self._length <= LARGEST_FRAME:
            self._splitter = _OnePicture(self._length)
        else:
            self._splitter = JpegSplitter()
        return True

    def _is_vague(self) -> bool:
        """Tell whether its type leaves open what it is."""
        said = self._type.lower()
        return not said or said.startswith(("application/octet-stream", "video/", "image/jp"))

    def _said(self) -> str:
        coding = self._headers.get("content-encoding", "identity")
        if coding.lower() not in ("identity", ""):
            return sniffing.COMPRESSED  # which was not asked for
        name = sniffing.kind_of_type(self._type)
        plain = "".join(c for c in self._type.partition(";")[0][:60] if c.isprintable()).strip()
        return name or plain or "something that it gives no type for"

    def _take(self, data: bytes | memoryview) -> list[Part]:
        if self._parts is not None:
            return self._take_parts(self._parts, data)
        found = [] if self._splitter is None else self._splitter.feed(data)
        return [Part(self._headers, frame) for frame in found]

    def _take_parts(self, parser: MultipartParser, data: bytes | memoryview) -> list[Part]:
        found = parser.feed(data)
        if not found and not self._pictures and parser.passed_over:
            hopeless = parser.passed_over >= _MOST_OTHERS
            if hopeless or sniffing.is_picture(parser.others):
                raise NoPictures(parser.others)
        return found
