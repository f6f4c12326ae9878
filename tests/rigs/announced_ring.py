"""A real ring, as small as they get, and each frame that was announced, as a reader has it."""

from __future__ import annotations

from pathlib import Path

from framebus.frame import FrameFlags
from framebus.names import CameraNames
from framebus.ring.announcement import Announcement
from framebus.ring.layout import SMALLEST_CAPACITY
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter


class AnnouncedRing:
    """Close it in the end."""

    def __init__(self, runtime: Path) -> None:
        self.writer = RingWriter.create(CameraNames(runtime), capacity=SMALLEST_CAPACITY)
        self._reader = RingReader.attach(CameraNames(runtime))
        self.frames: list[tuple[bytes, int, int, FrameFlags]] = []
        """Picture, width, height and flags, oldest first."""

    @property
    def interval_ns(self) -> int:
        """The frame interval that readers are told."""
        return self._reader.interval_ns

    def announce(self, announcement: Announcement) -> None:
        """Read the frame, as a listener does."""
        frame = self._reader.read_announced(announcement)
        self.frames.append((frame.jpeg, frame.width, frame.height, frame.flags))

    def close(self) -> None:
        self._reader.close()
        self.writer.close()
