"""Probe and commit: UVC 1.1, section 4.3.1.1. Pure.

The host proposes, the camera answers with what it would do, the host commits to that.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.guest.camera.controls import (
    GET_CUR,
    GET_DEF,
    GET_INFO,
    GET_LEN,
    GET_MAX,
    GET_MIN,
    SET_CUR,
    Refused,
)
from tests.guest.camera.descriptors import PACKET, picture_limit
from tests.guest.camera.model import FrameSize, Model

PROBE, COMMIT = 1, 2
BULK_PAYLOAD = 32 * 512
"""Bytes; the driver's URB holds 32 packets, so that one payload is one URB."""
_LAYOUT = struct.Struct("<HBBIHHHHHIIIBBBB")


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the stream will be."""

    fourcc: str
    size: FrameSize
    interval: int
    """Units of 100 ns."""
    payload: int
    """The most bytes of one payload, its header included."""

    @property
    def picture_limit(self) -> int:
        """The most bytes of one picture."""
        return picture_limit(self.size)


class Negotiation:
    """The probe and commit controls of the streaming interface."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._probe = (1, 1, 0)
        self.committed: Agreed | None = None
        """None until the first commit."""

    def request(self, selector: int, code: int, data: bytes) -> bytes:
        """Answer one class request to the streaming interface. Raises Refused."""
        if selector not in (PROBE, COMMIT) or not self._model.formats:
            raise Refused
        if code == SET_CUR:
            _, format_index, frame_index, interval, *_ = _LAYOUT.unpack(data.ljust(34, b"\0")[:34])
            self._probe = self._adjust(format_index, frame_index, interval)
            if selector == COMMIT:
                self.committed = self._agreed()
            return b""
        if code == GET_LEN:
            return _LAYOUT.size.to_bytes(2, "little")
        if code == GET_INFO:
            return b"\x03"
        if code == GET_DEF:
            self._probe = self._adjust(1, 1, 0)
        if code not in (GET_CUR, GET_DEF, GET_MIN, GET_MAX):
            raise Refused
        return self._answer()

    def _adjust(self, format_index: int, frame_index: int, interval: int) -> tuple[int, int, int]:
        """Return the nearest offer to a proposal."""
        format_index = min(max(1, format_index), len(self._model.formats))
        sizes = self._model.formats[format_index - 1].sizes
        frame_index = min(max(1, frame_index), len(sizes))
        intervals = sizes[frame_index - 1].intervals
        nearest = min(intervals, key=lambda one: abs(one - interval)) if interval else intervals[0]
        return format_index, frame_index, nearest

    def _agreed(self) -> Agreed:
        format_index, frame_index, interval = self._adjust(*self._probe)
        chosen = self._model.formats[format_index - 1]
        payload = PACKET if self._model.isochronous else BULK_PAYLOAD
        return Agreed(chosen.fourcc, chosen.sizes[frame_index - 1], interval, payload)

    def _answer(self) -> bytes:
        agreed = self._agreed()
        format_index, frame_index, interval = self._adjust(*self._probe)
        fixed = (0, 0, 0, 0, 0)
        limits = (agreed.picture_limit, agreed.payload, 48_000_000)
        return _LAYOUT.pack(1, format_index, frame_index, interval, *fixed, *limits, 0, 0, 0, 0)
