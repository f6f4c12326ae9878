"""What a reader gets: one frame and its metadata, immutable."""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass


class FrameFlags(enum.IntFlag):
    """How a frame came about."""

    NONE = 0
    HUFFMAN_INSERTED = 1
    """The camera sent no Huffman tables (DHT); the standard ones of ITU T.81 K.3 were inserted."""
    ENCODED = 2
    """The JPEG was made on this machine from raw pixels, not by the camera."""
    TEST_PATTERN = 4
    """No camera: the labelled test pattern."""
    FALLBACK = 8
    """Not from the camera, which was given up for the time being, but from its fallback source."""


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """One JPEG picture of a camera. Printed, it is one line without the picture."""

    jpeg: bytes
    epoch: int
    """Which daemon incarnation published it."""
    sequence: int
    """The ring's publish number, from 1. A daemon that takes over from a killed one counts on."""
    device_sequence: int
    """The driver's own count; gaps are frames that never reached us."""
    captured_ns: int
    """When it was captured, CLOCK_MONOTONIC nanoseconds."""
    captured_utc_ns: int
    """The same moment as nanoseconds since 1970, UTC."""
    published_ns: int
    """When it was published to the ring, CLOCK_MONOTONIC nanoseconds."""
    width: int
    """Pixels, as granted by the source; 0 if unknown."""
    height: int
    """Pixels, as granted by the source; 0 if unknown."""
    flags: FrameFlags = FrameFlags.NONE

    def __repr__(self) -> str:
        """Return one line: sequence, size, bytes, age; a picture in a log is of use to nobody."""
        size = f"{self.width}x{self.height}" if self.width and self.height else "size unknown"
        words = [f"sequence {self.sequence}", size, f"{len(self.jpeg)} bytes"]
        words.append(f"{self.age_s:.3f} s old")
        words += [flag.name.lower().replace("_", "-") for flag in self.flags if flag.name]
        return f"<Frame {', '.join(words)}>"

    @property
    def age_s(self) -> float:
        """Seconds since it was captured."""
        return (time.monotonic_ns() - self.captured_ns) / 1e9
