"""The parts of a multipart stream that are pictures, incrementally (RFC 2046, 5.1). Pure.

Cameras bend the standard, and what is read here is what they send:

- a boundary that the header does not name, or names wrongly, quoted, with the dashes that belong
  to the delimiter: the first delimiter line tells what it is;
- delimiters that all end in two dashes, as only the last one should; that begin with one, or none;
  without a line end before them; another at each part; none at all, where each part has headers;
- a multipart body in a part of another one;
- line ends of one byte or two; no empty line after the headers, or two;
- a Content-Length that is missing, too large, too small, or that counts the line end;
- parts that are no pictures (sound, metadata): they are passed over, and `others` says what
  they are.

A picture is handed on as soon as it is known to be whole. Where the length is right that is at
once, else at its end (EOI), or at the next delimiter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from capture_daemon.sources.http.multipart.delimiters import (
    LARGEST_BOUNDARY,
    DelimiterFinder,
    boundary_of,
)
from capture_daemon.sources.http.multipart.filling import Filling, Places
from capture_daemon.sources.http.multipart.part import Part
from capture_daemon.sources.http.multipart.part_length import PartLength
from capture_daemon.sources.http.response_parser import WireError, parse_headers
from capture_daemon.sources.pictures import sniffing
from capture_daemon.sources.pictures.markers import START
from capture_daemon.sources.pictures.picture_end import PictureEnd, ends_at
from capture_daemon.sources.pictures.splitter import LARGEST_FRAME

LARGEST_PART_HEAD = 16 << 10
"""Bytes of one part's headers."""
_SMALL = 2 << 10
"""Bytes in which a part's head is looked for, before more go through the buffer."""
_FIRST_HEADER = b"content-"
_MOST_AHEAD = 32
_PICTURE_TYPES = ("image/jpeg", "image/jpg", "image/pjpeg", "image/x-jpeg", "jpeg", "image")
_PLAIN_HEAD = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]{0,40}:[^\r\n]{0,1000}\r\n){1,32}\r\n")
"""A whole head as the standard has it: what else there is, is read line by line."""
_LINE_ENDS = re.compile(rb"[\r\n]{1,8}(?=\xff\xd8)")


class MultipartParser:
    """Takes bytes in pieces of any size and gives whole pictures back."""

    def __init__(self, boundary: str = "", *, largest: int = LARGEST_FRAME) -> None:
        """`boundary` as `boundary_of` returns it; `largest` part in bytes."""
        self._delimiters = DelimiterFinder(boundary)
        self._largest = largest
        self._buffer = bytearray()
        self._step: Callable[[], bool] = self._seek
        """What is to be done with the bytes; it returns False when more are needed."""
        self._parts: list[Part] = []
        self._headers: Mapping[str, str] = {}
        self._head_at = 0
        """Up to here the lines of the part's head are looked at."""
        self._length = PartLength(largest)
        self._end = PictureEnd()
        self._places = Places()
        self._filling: Filling | None = None
        self._dropped = 0
        """Bytes passed over since the last part's head."""
        self.others = ""
        """What the newest part was that is no picture; empty if there was none."""
        self.passed_over = 0
        """How many parts were no pictures."""

    def feed(self, data: bytes | memoryview) -> list[Part]:
        """Add what came and return the pictures that are now whole, oldest first.

        Raises:
            WireError: a limit is exceeded.
        """
        self._parts = []
        self._places.free()
        rest = memoryview(data)
        step = _SMALL
        while rest:
            if self._filling is None:
                self._buffer += rest[:step]
                rest, step = rest[step:], len(rest)
            else:
                rest = rest[self._filling.fill(rest) :]
                step = _SMALL
                self._end_filling(self._filling)
            while self._step():
                pass
            if max(len(self._buffer) - LARGEST_PART_HEAD, self._dropped) > self._largest:
                raise WireError(f"a part is larger than {self._largest} bytes")
            self._begin_filling()
        return self._parts

    @property
    def missing(self) -> int:
        """How many bytes at least must come before there can be another picture."""
        return 1 if self._filling is None else self._filling.missing

    # -- between parts -----------------------------------------------------------------------

    def _seek(self) -> bool:
        """Look for where the next part begins, and drop what is before it."""
        if self._delimiters.seen:
            return self._seek_delimiter()
        self._consume(len(self._buffer) - len(self._buffer.lstrip(b"\r\n")))
        if self._begins(START):
            return self._enter_body({})
        if self._begins(_FIRST_HEADER):
            return self._enter_head()
        if self._may_begin(START) or self._may_begin(_FIRST_HEADER):
            return False
        return self._seek_line()

    def _seek_delimiter(self) -> bool:
        found = self._delimiters.find(self._buffer)
        if found is None:
            if not self._dropped and (end := self._delimiters.learn_another(self._buffer)):
                self._consume(end)
                return self._enter_head()
            # Its own first bytes, and the line end before it, may be here.
            self._drop(max(0, self._delimiters.searched - LARGEST_BOUNDARY))
            return False
        self._consume(found.end)
        return self._enter_head()

    def _seek_line(self) -> bool:
        """Look at one line: it may be the delimiter that tells the boundary."""
        end = self._buffer.find(b"\n", 0, LARGEST_BOUNDARY)
        if end < 0:
            return len(self._buffer) > LARGEST_BOUNDARY and self._go(self._drop_line)
        learned = self._delimiters.learn(bytes(self._buffer[:end]), self._buffer[end + 1 :])
        if learned is None:
            return False
        self._drop(end + 1)
        return self._enter_head() if learned else True

    def _drop_line(self) -> bool:
        """Drop what is too long for a delimiter, up to its end."""
        end = self._buffer.find(b"\n")
        self._drop(len(self._buffer) if end < 0 else end + 1)
        return end >= 0 and self._go(self._seek)

    # -- the head of a part ------------------------------------------------------------------

    def _enter_head(self) -> bool:
        self._head_at = 0
        return self._go(self._take_head)

    def _take_head(self) -> bool:
        """Take one line; the empty one ends the head, as does a picture that begins without it."""
        at = self._head_at
        if not at and (plain := _PLAIN_HEAD.match(self._buffer)):
            return self._end_head(plain.end(), plain.end())
        if bytes(self._buffer[at : at + len(START)]) == START:
            return self._end_head(at, at)
        end = self._buffer.find(b"\n", at, LARGEST_PART_HEAD)
        if end < 0 and len(self._buffer) > LARGEST_PART_HEAD:
            raise WireError(f"a part's head is larger than {LARGEST_PART_HEAD} bytes")
        if end < 0:
            return False
        line = bytes(self._buffer[at:end]).strip()
        if self._delimiters.is_one(line):  # a part without anything
            self._consume(end + 1)
            return self._enter_head()
        if line:
            self._head_at = end + 1
            return True
        if at:
            return self._end_head(at, end + 1)
        return self._skip_empty_line(end + 1)

    def _skip_empty_line(self, after: int) -> bool:
        """Right after the delimiter it is either one too many, or there are no headers."""
        ahead = bytes(self._buffer[after : after + _MOST_AHEAD]).lstrip(b"\r\n").lower()
        if ahead.startswith(_FIRST_HEADER):
            self._consume(after)
            return True
        return not _FIRST_HEADER.startswith(ahead) and self._end_head(0, after)

    def _end_head(self, end: int, body_at: int) -> bool:
        headers = parse_headers(bytes(self._buffer[:end]))
        self._consume(body_at)
        declared = headers.get("content-type", "")
        if declared.lower().startswith("multipart/"):  # its parts are ours from now on
            self._delimiters = DelimiterFinder(boundary_of(declared))
            return self._go(self._seek)
        return self._enter_body(headers)

    # -- the body of a part ------------------------------------------------------------------

    def _enter_body(self, headers: Mapping[str, str]) -> bool:
        self._dropped = 0
        self._headers = headers
        self._length.begin(headers.get("content-length", ""))
        self._end = PictureEnd()
        return self._go(self._take_begin)

    def _take_begin(self) -> bool:
        """Look at the body's first bytes: a picture, or something to be passed over."""
        if ends := _LINE_ENDS.match(self._buffer):
            self._consume(ends.end())
        if self._begins(START[:2]):
            return self._go(self._take_picture)
        delimiter = self._delimiters.find(self._buffer)
        if delimiter is None and len(self._buffer) < min(self._length.told or 99, sniffing.ENOUGH):
            return False
        body = bytes(self._buffer[: sniffing.ENOUGH if delimiter is None else delimiter.start])
        body = body[: self._length.told]
        declared = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        kind = sniffing.kind_of(body)
        if body and not kind and declared in _PICTURE_TYPES:
            return self._go(self._take_picture)
        if body:
            self.others = kind or sniffing.kind_of_type(declared) or declared or "unknown data"
            self.passed_over += 1
        return self._go(self._seek if self._delimiters.seen else self._pass_over)

    def _pass_over(self) -> bool:
        """Drop the body of a part that is no picture; no delimiter was seen until now."""
        dropped = min(self._length.told or 0, len(self._buffer))
        self._length.told = (self._length.told or 0) - dropped
        self._drop(dropped)
        return not self._length.told and self._go(self._seek)

    def _take_picture(self) -> bool:
        """Hand the picture on, if it is known to be whole.

        A delimiter is looked for only where something is wrong: that costs more than all the rest.
        """
        if self._length.told is not None:
            if end := self._length.end(self._buffer, self._delimiters):
                return self._hand_on(end)
            if self._length.told is not None:
                return False
        end = self._end.find(self._buffer)
        if end and not self._end.is_cut:
            return self._hand_on(end)
        if not end and not self._end.is_lost:
            return False
        delimiter = self._delimiters.find(self._buffer)
        return bool(delimiter or end) and self._hand_on(delimiter.start if delimiter else end)

    def _hand_on(self, length: int) -> bool:
        with memoryview(self._buffer) as view:
            body = bytes(view[:length])
        shorter = body.rstrip(b"\r\n")
        if len(shorter) < length and ends_at(self._buffer, len(shorter)):
            body = shorter  # the line end before the delimiter was counted
        self._parts.append(Part(self._headers, body))
        self._consume(length)
        return self._go(self._seek)

    def _begin_filling(self) -> None:
        """Take a picture whose length is known, and whose end is yet to come, out of the buffer."""
        if self._step == self._take_picture and self._length.told is not None and self._buffer:
            self._filling = self._places.begin(self._length.told)
            self._filling.fill(self._buffer)
            self._consume(len(self._buffer))

    def _end_filling(self, filling: Filling) -> None:
        """Hand the picture on if it is whole, and as long as it should be."""
        body = filling.picture()
        if body is not None:
            self._parts.append(Part(self._headers, body))
            self._step = self._seek
        elif not filling.is_doubtful:
            return
        else:
            self._buffer[:0] = filling.bytes()
        self._filling = None

    # -- bytes -------------------------------------------------------------------------------

    def _go(self, step: Callable[[], bool]) -> bool:
        self._step = step
        return True

    def _begins(self, wanted: bytes) -> bool:
        return bytes(self._buffer[: len(wanted)]).lower() == wanted.lower()

    def _may_begin(self, wanted: bytes) -> bool:
        """Tell whether what there is may be the beginning of `wanted`."""
        return len(self._buffer) < len(wanted) and wanted.startswith(bytes(self._buffer).lower())

    def _drop(self, length: int) -> None:
        self._dropped += length
        self._consume(length)

    def _consume(self, length: int) -> None:
        if length:
            del self._buffer[:length]
            self._delimiters.consumed(length)
