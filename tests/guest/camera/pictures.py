"""The camera's pictures: a short clip, each picture with a stamp (counter and time).

An MJPEG picture carries its stamp in a comment at its end, a YUYV one in its first pixels, so that
loss, order and latency are measured without decoding. All headers are the same, as a camera's are.
Knows nothing of USB.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.guest.camera.faults import Faults

CLIP_LENGTH = 4
"""Different pictures of each size."""
PADDING = bytes(4096)
_STAMP = b"framebus:%010d:%020d;"
_STAMP_LENGTH = len(_STAMP % (0, 0))
_SOI, _SOS, _DHT, _COMMENT = 0xD8, 0xDA, 0xC4, 0xFE


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a picture says of itself."""

    counter: int
    """From 0 at each start of the stream, one per picture that the camera took."""
    taken_ns: int
    """CLOCK_MONOTONIC of the machine that emulates the camera, nanoseconds."""


def read_stamp(picture: bytes | memoryview) -> Stamp:
    """Return a picture's stamp. Raises ValueError when it has none."""
    ends = bytes(picture[:128]) + bytes(picture[-128 - len(PADDING) :])
    start = ends.find(b"framebus:")
    if start < 0:
        raise ValueError("the picture carries no stamp")
    _, counter, rest = ends[start : start + _STAMP_LENGTH].split(b":")
    return Stamp(int(counter), int(rest.rstrip(b";")))


def comment(text: bytes) -> bytes:
    """Return a JPEG comment segment."""
    return b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text


def segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, bytes) for each segment, the last one being SOS and all that follows."""
    yield _SOI, jpeg[:2]
    position = 2
    while jpeg[position + 1] != _SOS:
        (length,) = struct.unpack_from(">H", jpeg, position + 2)
        yield jpeg[position + 1], jpeg[position : position + 2 + length]
        position += 2 + length
    yield _SOS, jpeg[position:]


def without_huffman_tables(jpeg: bytes) -> bytes:
    """Return `jpeg` without its DHT segments, as some cameras send it."""
    return b"".join(data for marker, data in segments(jpeg) if marker != _DHT)


def enlarged(jpeg: bytes, times: int) -> bytes:
    """Return a valid JPEG of about `times` the size: comments before the picture's data."""
    missing = len(jpeg) * (times - 1)
    filler = [comment(bytes(min(65000, missing - at))) for at in range(0, missing, 65000)]
    *head, tail = (data for _, data in segments(jpeg))
    return b"".join([*head, *filler, tail])


def clip_file(folder: Path, width: int, height: int, number: int) -> Path:
    """Return where a picture of the clip lies."""
    return folder / f"{width}x{height}-{number}.jpg"


class Clip:
    """The pictures of one stream, before the transfer's faults."""

    def __init__(self, fourcc: str, width: int, height: int, folder: Path, faults: Faults) -> None:
        self._mjpeg = fourcc == "MJPG"
        self._faults = faults
        self._last = b""
        if self._mjpeg:
            self._pictures = [
                clip_file(folder, width, height, number).read_bytes()
                for number in range(CLIP_LENGTH)
            ]
        else:
            # Bars that move: luma steps along the line, no colour.
            line = b"".join(bytes([16 + x * 219 // width, 128]) for x in range(width))
            self._pictures = [
                (line[shift:] + line[:shift]) * height for shift in range(0, CLIP_LENGTH * 16, 16)
            ]

    def picture(self, counter: int, now_ns: int) -> bytes:
        """Return the picture number `counter`, stamped with `now_ns`, with its content's faults."""
        faults = self._faults
        if self._last and faults.take("frozen"):
            return self._last
        plain = self._pictures[counter % len(self._pictures)]
        stamp = _STAMP % (counter, now_ns)
        if not self._mjpeg:
            plain = stamp + plain[len(stamp) :]
        else:
            if faults.take("no-dht"):
                plain = without_huffman_tables(plain)
            if faults.take("huge"):
                plain = enlarged(plain, 10)
            plain = plain[:-2] + comment(stamp) + plain[-2:]
        if faults.take("padded"):
            plain += PADDING
        if faults.take("truncated"):
            plain = plain[: len(plain) // 2]
        if faults.take("no-end"):
            plain = plain[:-2]
        if faults.take("garbage"):
            plain = os.urandom(len(plain))
        self._last = plain
        return plain
