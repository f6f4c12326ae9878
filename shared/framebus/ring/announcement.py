"""What is told about a published frame: enough to find it in the ring and to check it."""

from __future__ import annotations

import struct
from typing import NamedTuple

from framebus.errors import SegmentInvalid
from framebus.ring.layout import DESCRIPTOR, Descriptor

_EPOCH = struct.Struct("<Q")
_SIZE = _EPOCH.size + DESCRIPTOR.size


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
        return _EPOCH.pack(self.epoch) + self.descriptor.pack()

    @classmethod
    def unpack(cls, message: bytes) -> Announcement:
        """Read a message; raises SegmentInvalid when its size is another."""
        if len(message) != _SIZE:
            raise SegmentInvalid(f"an announcement has {_SIZE} bytes, not {len(message)}")
        (epoch,) = _EPOCH.unpack_from(message)
        return cls(epoch, Descriptor.unpack(message[_EPOCH.size :]))
