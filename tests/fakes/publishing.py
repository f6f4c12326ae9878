"""A ring that keeps what it is given, and one who announces it."""

from __future__ import annotations

from framebus.errors import FrameTooLarge
from framebus.frame import FrameFlags
from framebus.ring.announcement import Announcement
from framebus.ring.layout import Descriptor


class Ring:
    """Keeps what it is given; takes at most 1000 bytes."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, int, int, FrameFlags]] = []
        self.interval_ns = -1

    def publish(
        self,
        jpeg: bytes | memoryview,
        *,
        captured_ns: int,
        captured_utc_ns: int,
        device_sequence: int = 0,
        width: int = 0,
        height: int = 0,
        flags: FrameFlags = FrameFlags.NONE,
    ) -> Announcement:
        if len(jpeg) > 1000:
            raise FrameTooLarge("too large")
        self.frames.append((bytes(jpeg), width, height, flags))
        return Announcement(1, Descriptor(1, 0, len(jpeg), 0, 0, 0, 0, 0, 0, 0, 0))

    def set_interval(self, interval_ns: int) -> None:
        self.interval_ns = interval_ns


class Announcer:
    def __init__(self) -> None:
        self.announced = 0

    def announce(self, announcement: Announcement) -> None:
        self.announced += 1
