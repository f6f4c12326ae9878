"""The one way into the ring, for two publishers: the camera's and its fallback's.

A ring has one writer, and no reader may see time go back. So who publishes is decided here, frame
by frame, under one lock. The camera takes the air with its first good frame: its own thread does
that, since nobody is nearer to the moment. Whether the fallback may have it is the main thread's to
say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from framebus.clocks import utc_offset_ns
from framebus.contract.words import Rejection
from framebus.errors import FrameTooLarge
from framebus.frame import FrameFlags
from framebus.ring.announcement import Announcement
from framebus.ring.writer import RingWriter

OFF_AIR: Final = "off-air"
"""Why a good frame of the fallback is not published: the camera's are."""
OVERTAKEN: Final = "overtaken"
"""Why a good frame of the camera is not published: one of the fallback's, in the ring already, was
captured later. A camera's frames take longer to get here than a test pattern's."""
UNWATCHED: Final = "unwatched"
"""Why a frame is not even looked at: nobody watches, and few frames are enough for that."""
TOO_LARGE: Final = "too-large"
"""Why a good frame is not published: the ring is too small for it."""
SOUND = frozenset({OFF_AIR, OVERTAKEN, UNWATCHED})
"""The reasons that say nothing against the frame, nor against its source."""


class ValidFrame(NamedTuple):
    """One good JPEG on its way into the ring, and what is known of it."""

    jpeg: bytes | memoryview
    captured_ns: int
    """CLOCK_MONOTONIC nanoseconds."""
    device_sequence: int
    width: int
    """Pixels; 0 if unknown."""
    height: int
    flags: FrameFlags


class Switcher:
    """Two inputs, one ring. Thread-safe; each input belongs to one capture thread."""

    def __init__(
        self,
        *,
        ring: RingWriter,
        announce: Callable[[Announcement], None],
        newest_ns: int = 0,
    ) -> None:
        """Take where frames go, and who is told of each.

        `newest_ns` is when the ring's newest was captured, 0 if it has none.
        """
        self._lock = threading.Lock()
        self._ring = ring
        self._announce = announce
        self._newest_ns = newest_ns
        self._interval_ns: int | None = None  # what the ring says; None: its predecessor's
        self.camera = Input(self, FrameFlags.NONE)
        self.fallback = Input(self, FrameFlags.FALLBACK)
        self._on_air = self._newest_from = self.camera

    def show_fallback(self, shown: bool) -> None:
        """Put the fallback on the air, or the camera, which may take it back at any moment."""
        wanted = self.fallback if shown else self.camera
        if self._on_air is not wanted:  # the main thread waits for no frame without need
            with self._lock:
                self._on_air = wanted

    def interval_changed(self, source: Input) -> None:
        """Tell readers of the interval of an input, if it is theirs now."""
        with self._lock:
            if source is self._on_air:
                self._set_interval(source.interval_ns)

    def publish(self, source: Input, frame: ValidFrame) -> Rejection | None:
        """Publish a frame of an input; return why not, None if it was."""
        with self._lock:
            if source is self.camera:
                self._on_air = source  # also when it is overtaken: the next one shall not be
            elif source is not self._on_air:
                return OFF_AIR
            if frame.captured_ns < self._newest_ns:
                return "stale" if self._newest_from is source else OVERTAKEN
            self._set_interval(source.interval_ns)
            try:
                announcement = self._ring.publish(
                    frame.jpeg,
                    captured_ns=frame.captured_ns,
                    # The offset is taken anew for each frame: the clock of day may be set.
                    captured_utc_ns=frame.captured_ns + utc_offset_ns(),
                    device_sequence=frame.device_sequence,
                    width=frame.width,
                    height=frame.height,
                    flags=frame.flags | source.mark if source.mark else frame.flags,
                )
            except FrameTooLarge:
                return TOO_LARGE
            self._newest_ns, self._newest_from = frame.captured_ns, source
            self._announce(announcement)
            return None

    def _set_interval(self, interval_ns: int) -> None:
        if interval_ns != self._interval_ns:
            self._interval_ns = interval_ns
            self._ring.set_interval(interval_ns)


class Input:
    """What one capture thread's publisher sees of the switcher."""

    def __init__(self, switcher: Switcher, mark: FrameFlags) -> None:
        self._switcher = switcher
        self.mark = mark
        """What every frame from here is flagged with."""
        self.interval_ns = 0

    def set_interval(self, interval_ns: int) -> None:
        """Take note of the frame interval; readers are told once frames from here are theirs."""
        self.interval_ns = interval_ns
        self._switcher.interval_changed(self)

    def publish(self, frame: ValidFrame) -> Rejection | None:
        """Publish a frame; return why not, None if it was."""
        return self._switcher.publish(self, frame)
