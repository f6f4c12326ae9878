"""From a captured picture to the ring and its announcement, or to a counted rejection.

Runs in the capture thread. The one copy of the picture is the one into the ring, except where
Huffman tables must be inserted.
"""

from __future__ import annotations

import time
from typing import Protocol

from framebus.clocks import utc_offset_ns
from framebus.errors import FrameTooLarge
from framebus.frame import FrameFlags
from framebus.ring.announcement import Announcement

from capture_daemon.counters import FrameCounters
from capture_daemon.sources import jpeg
from capture_daemon.sources.base import NOTHING_GRANTED, Captured, Granted
from capture_daemon.stillness import Stillness


class Ring(Protocol):
    """What is needed of framebus.ring.writer.RingWriter."""

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
        """Copy a frame in; raises FrameTooLarge."""

    def set_interval(self, interval_ns: int) -> None:
        """Tell readers the frame interval."""


class Announcer(Protocol):
    """What is needed of framebus.notify.Notifier."""

    def announce(self, announcement: Announcement) -> None:
        """Tell listeners of a frame."""


class Publisher:
    """Validates, publishes, announces and counts."""

    def __init__(
        self, *, ring: Ring, announcer: Announcer, counters: FrameCounters, newest_ns: int = 0
    ) -> None:
        """Take where frames go; `newest_ns` is when the ring's newest was captured, 0 if none."""
        self._ring = ring
        self._announcer = announcer
        self._counters = counters
        self._granted = NOTHING_GRANTED
        self._newest_ns = newest_ns
        self.stillness = Stillness()
        self.width = 0
        """Pixels of the newest valid frame; 0 if unknown."""
        self.height = 0

    def begin(self, granted: Granted) -> None:
        """Take note of what a newly opened source gives."""
        self._granted = granted
        self._counters.begin_session()
        self._set_interval(granted.fps)

    def settled(self) -> None:
        """Tell readers the measured interval where the source's own word is missing."""
        if not self._granted.fps:
            self._set_interval(self._counters.rate())

    def take(self, captured: Captured) -> bool:
        """Publish one picture; False if it was rejected. It is counted either way."""
        reason = self._publish(captured)
        self._counters.record(
            device_sequence=captured.device_sequence,
            captured_ns=captured.captured_ns,
            now_ns=time.monotonic_ns(),
            rejected_for=reason,
        )
        return reason is None

    def _publish(self, captured: Captured) -> str | None:
        """Return why the picture was not published, None if it was."""
        data = captured.data
        reason = captured.reject or ("flagged" if captured.faulty else jpeg.check(data))
        if reason:
            return reason
        if captured.captured_ns < self._newest_ns:
            return "stale"  # no reader may ever see time go back
        flags = captured.flags
        if not jpeg.has_huffman_tables(data):
            data = jpeg.with_huffman_tables(data)
            flags |= FrameFlags.HUFFMAN_INSERTED
        width, height = captured.width, captured.height
        if not width:
            width, height = self._granted.width, self._granted.height
        if not width:
            width, height = jpeg.size(data)
        try:
            announcement = self._ring.publish(
                data,
                captured_ns=captured.captured_ns,
                # The offset is taken anew for each frame: the clock of day may be set.
                captured_utc_ns=captured.captured_ns + utc_offset_ns(),
                device_sequence=captured.device_sequence,
                width=width,
                height=height,
                flags=flags,
            )
        except FrameTooLarge:
            return "too-large"
        self.stillness.see(captured.data, captured.captured_ns)
        self._newest_ns = captured.captured_ns
        self.width, self.height = width, height
        self._announcer.announce(announcement)
        return None

    def _set_interval(self, fps: float) -> None:
        self._ring.set_interval(round(1e9 / fps) if fps > 0 else 0)
