"""JPEG from YUYV pixels (packed 4:2:2), for cameras without MJPEG.

libjpeg-turbo through simplejpeg. Levels are passed on as the camera gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from framebus import installation

from capture_daemon.sources.base import SourceUnusable

_QUALITY = 85  # libjpeg's scale, 1 to 100


def load() -> tuple[Any, Callable[..., bytes]]:
    """Return numpy and the encoding function, imported the first time: that may take seconds.

    Raises SourceUnusable where they are missing.
    """
    try:
        import numpy
        import simplejpeg
    except ImportError as error:
        raise SourceUnusable(
            "no-encoder",
            "this camera has no MJPEG, and what encodes its pictures is not installed",
            remedy=installation.REMEDY,
        ) from error
    return numpy, simplejpeg.encode_jpeg_yuv_planes


class Encoder:
    """Encodes pictures of one size."""

    def __init__(self, width: int, height: int, bytes_per_line: int) -> None:
        """Take sizes in pixels; `bytes_per_line` may exceed 2 * width, 0 means exactly that.

        Raises SourceUnusable as `load` does.
        """
        self._numpy, self._encode = load()
        self._shape = (height, bytes_per_line or 2 * width)
        self._row = 2 * width

    def encode(self, yuyv: memoryview) -> bytes:
        """Return the picture as JPEG. Raises ValueError when it is not whole."""
        height, line = self._shape
        if len(yuyv) < height * line:
            raise ValueError(f"{len(yuyv)} of {height * line} bytes")
        pixels = self._numpy.frombuffer(yuyv, self._numpy.uint8, height * line)
        rows = pixels.reshape(self._shape)[:, : self._row]
        # One row: Y0 U0 Y1 V0 Y2 U2 Y3 V2 …; the encoder wants three planes.
        planes = (rows[:, 0::2], rows[:, 1::4], rows[:, 3::4])
        return self._encode(*map(self._numpy.ascontiguousarray, planes), _QUALITY)
