"""What is told about a published frame: enough to find it in the ring and to check it."""

from __future__ import annotations

import struct
from typing import NamedTuple

from framebus.errors import SegmentInvalid
from framebus.ring.layout import DESCRIPTOR, Descriptor

_MESSAGE = struct.Struct(f"<Q{DESCRIPTOR.format[1:]}")


class Announcement(NamedTuple):
    """A frame's epoch and descriptor: the one-part, fixed-size message of CAMERA.frames."""

    epoch: int
    descriptor: Descriptor

    @property
    def sequence(self) -> int:
        """The frame's publish number."""
        return self.descriptor.sequence

    def pack(self) -> bytes:
        """Return the message: the epoch (8 bytes, little-endian), then the descriptor (128)."""
        return _MESSAGE.pack(self.epoch, *self.descriptor)

    @classmethod
    def unpack(cls, message: bytes) -> Announcement:
        """Read a message; raises SegmentInvalid when its size is another."""
        if len(message) != _MESSAGE.size:
            raise SegmentInvalid(f"an announcement has {_MESSAGE.size} bytes, not {len(message)}")
        words = _MESSAGE.unpack(message)
        return cls(words[0], Descriptor._make(words[1:]))
