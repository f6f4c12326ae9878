"""The one way into the ring, for two publishers: the camera's and its fallback's.

A ring has one writer, and no reader may see time go back. So who publishes is decided here, frame
by frame, under one lock. The camera takes the air with its first good frame: its own thread does
that, since nobody is nearer to the moment. Whether the fallback may have it is the main thread's to
say.

This is the slow path, which takes any frame. The usual one takes the fast path, where there is one,
which keeps to the same state under the same lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from framebus.clocks import utc_offset_ns
from framebus.contract.words import Rejection
from framebus.errors import FrameTooLarge
from framebus.frame import FrameFlags
from framebus.ring.announcement import Announcement
from framebus.ring.writer import RingWriter

from capture_daemon.capturing.outlet import Outlet
from capture_daemon.native.library import FastPath
from capture_daemon.native.state import InputState

OFF_AIR: Final = "off-air"
"""Why a good frame of the fallback is not published: the camera's are."""
OVERTAKEN: Final = "overtaken"
"""Why a good frame of the camera is not published: one of the fallback's, in the ring already, was
captured later. A camera's frames take longer to get here than a test pattern's."""
UNWATCHED: Final = "unwatched"
"""Why a frame is not even looked at: nobody watches, and few frames are enough for that."""
TOO_LARGE: Final = "too-large"
"""Why a good frame is not published: the ring is too small for it."""
_CAMERA, _FALLBACK = 0, 1
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
    hashed: int
    """layout.payload_hash of it."""


class Switcher:
    """Two inputs, one ring. Thread-safe; each input belongs to one capture thread."""

    def __init__(
        self,
        *,
        ring: RingWriter,
        announce: Callable[[Announcement], None],
        newest_ns: int = 0,
        outlet: Outlet | None = None,
    ) -> None:
        """Take where frames go, and who is told of each, under the outlet's lock.

        `newest_ns` is when the ring's newest was captured, 0 if it has none. Without an `outlet`
        there is no fast path.
        """
        outlet = outlet or Outlet(ring)
        self.lock = outlet.lock
        self._state = outlet.state
        self._state.newest_ns = newest_ns
        self._ring = ring
        self._announce = announce
        self._interval_ns: int | None = None  # what the ring says; None: its predecessor's
        self.camera = Input(self, _CAMERA, FrameFlags.NONE, outlet)
        self.fallback = Input(self, _FALLBACK, FrameFlags.FALLBACK, outlet)

    def show_fallback(self, shown: bool) -> None:
        """Put the fallback on the air, or the camera, which may take it back at any moment."""
        wanted = _FALLBACK if shown else _CAMERA
        if self._state.on_air != wanted:  # the main thread waits for no frame without need
            with self.lock:
                self._state.on_air = wanted

    def interval_changed(self, source: Input) -> None:
        """Tell readers of the interval of an input, if it is theirs now."""
        with self.lock:
            if source.number == self._state.on_air:
                self._set_interval(source.interval_ns)

    def publish(self, source: Input, frame: ValidFrame) -> Rejection | None:
        """Publish a frame of an input; return why not, None if it was."""
        state = self._state
        with self.lock:
            if source is self.camera:
                state.on_air = _CAMERA  # also when it is overtaken: the next one shall not be
            elif state.on_air != source.number:
                return OFF_AIR
            if frame.captured_ns < state.newest_ns:
                return "stale" if state.newest_from == source.number else OVERTAKEN
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
                    flags=frame.flags,
                    hashed=frame.hashed,
                )
            except FrameTooLarge:
                return TOO_LARGE
            state.newest_ns, state.newest_from = frame.captured_ns, source.number
            self._announce(announcement)
            return None

    def _set_interval(self, interval_ns: int) -> None:
        if interval_ns != self._interval_ns:
            self._interval_ns = interval_ns
            self._ring.set_interval(interval_ns)


class Input:
    """What one capture thread's publisher sees of the switcher."""

    def __init__(self, switcher: Switcher, number: int, mark: FrameFlags, outlet: Outlet) -> None:
        self._switcher = switcher
        self.number = number
        self.mark = mark
        """What every frame from here is flagged with."""
        self.interval_ns = 0
        self.lock = outlet.lock
        self.state = InputState(number=number)
        """Under that lock, but for what its one thread alone uses."""
        self.fast_path: FastPath | None = outlet.fast_path(self.state)

    def set_interval(self, interval_ns: int) -> None:
        """Take note of the frame interval; readers are told once frames from here are theirs."""
        self.interval_ns = interval_ns
        self._switcher.interval_changed(self)

    def publish(self, frame: ValidFrame) -> Rejection | None:
        """Publish a frame; return why not, None if it was."""
        return self._switcher.publish(self, frame)
