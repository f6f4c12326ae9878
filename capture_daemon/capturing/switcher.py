"""The one way into the ring, for two publishers: the camera's and its fallback's.

A ring has one writer, and no reader may see time go back. So who publishes is decided here, frame
by frame, under one lock. The camera takes the air with its first good frame: its own thread does
that, since nobody is nearer to the moment. Whether the fallback may have it is the main thread's to
say.
"""

from __future__ import annotations

import threading
from typing import Final, Protocol

from framebus.clocks import utc_offset_ns
from framebus.contract.words import Rejection
from framebus.errors import FrameTooLarge
from framebus.frame import FrameFlags
from framebus.ring.announcement import Announcement

OFF_AIR: Final = "off-air"
"""Why a good frame of the fallback is not published: the camera's are."""
OVERTAKEN: Final = "overtaken"
"""Why a good frame of the camera is not published: one of the fallback's, in the ring already, was
captured later. A camera's frames take longer to get here than a test pattern's."""
TOO_LARGE: Final = "too-large"
"""Why a good frame is not published: the ring is too small for it."""
SOUND = frozenset({OFF_AIR, OVERTAKEN})
"""The reasons that say nothing against the frame, nor against its source."""


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
    """What is needed of framebus.notifier.Notifier."""

    def announce(self, announcement: Announcement) -> None:
        """Tell listeners of a frame."""


class Switcher:
    """Two inputs, one ring. Thread-safe; each input belongs to one capture thread."""

    def __init__(self, *, ring: Ring, announcer: Announcer, newest_ns: int = 0) -> None:
        """Take where frames go; `newest_ns` is when the ring's newest was captured, 0 if none."""
        self._lock = threading.Lock()
        self._ring = ring
        self._announcer = announcer
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

    def publish(
        self,
        source: Input,
        jpeg: bytes | memoryview,
        *,
        captured_ns: int,
        device_sequence: int,
        width: int,
        height: int,
        flags: FrameFlags,
    ) -> Rejection | None:
        """Publish a good frame of an input; return why not, None if it was."""
        with self._lock:
            if source is self.camera:
                self._on_air = source  # also when it is overtaken: the next one shall not be
            elif source is not self._on_air:
                return OFF_AIR
            if captured_ns < self._newest_ns:
                return "stale" if self._newest_from is source else OVERTAKEN
            self._set_interval(source.interval_ns)
            try:
                announcement = self._ring.publish(
                    jpeg,
                    captured_ns=captured_ns,
                    # The offset is taken anew for each frame: the clock of day may be set.
                    captured_utc_ns=captured_ns + utc_offset_ns(),
                    device_sequence=device_sequence,
                    width=width,
                    height=height,
                    flags=flags | source.mark if source.mark else flags,
                )
            except FrameTooLarge:
                return TOO_LARGE
            self._newest_ns, self._newest_from = captured_ns, source
            self._announcer.announce(announcement)
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

    def publish(
        self,
        jpeg: bytes | memoryview,
        *,
        captured_ns: int,
        device_sequence: int,
        width: int,
        height: int,
        flags: FrameFlags,
    ) -> Rejection | None:
        """Publish a good frame; return why not, None if it was."""
        return self._switcher.publish(
            self,
            jpeg,
            captured_ns=captured_ns,
            device_sequence=device_sequence,
            width=width,
            height=height,
            flags=flags,
        )
