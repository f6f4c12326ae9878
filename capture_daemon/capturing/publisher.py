"""From a captured picture to the ring and its announcement, or to a counted rejection.

Runs in the capture thread. The one copy of the picture is the one into the ring, except where
Huffman tables must be inserted.
"""

from __future__ import annotations

import logging
import time

from framebus.contract.words import Rejection
from framebus.frame import FrameFlags
from framebus.ring.layout import capacity_for, payload_hash

from capture_daemon.capturing.counters import FrameCounters
from capture_daemon.capturing.freeze_detector import FreezeDetector
from capture_daemon.capturing.header_memory import HeaderMemory
from capture_daemon.capturing.rate_gate import RateGate
from capture_daemon.capturing.reports import ring_size_remedy
from capture_daemon.capturing.switcher import SOUND, TOO_LARGE, UNWATCHED, Input, ValidFrame
from capture_daemon.native.library import FastPath
from capture_daemon.sources.base import NOTHING_GRANTED, Captured, Granted
from capture_daemon.sources.pictures import jpeg

log = logging.getLogger(__name__)

_SLOW_NS = 1_000_000_000
"""An interval that readers must know of, or they miss the frame that is not due yet."""


class Publisher:
    """Validates, publishes and counts."""

    def __init__(
        self, *, outlet: Input, counters: FrameCounters, gate: RateGate | None = None
    ) -> None:
        """`gate` says which frames of a settled stream nobody wants."""
        self._gate = gate or RateGate()
        self._interval_ns = 0
        self._told_ns = 0
        self._outlet = outlet
        self._counters = counters
        self._granted = NOTHING_GRANTED
        self._settled = False
        self._before_ns = 0
        self._state = outlet.state
        """Its `suspect`: pictures of more bytes are searched whole, as one that was cut may have
        the next in it."""
        self.freeze_detector = FreezeDetector(self._state)
        self._header = HeaderMemory(self._state)
        self._fast_path = outlet.fast_path
        self.too_large = 0
        """Bytes of the largest frame that the ring did not take."""
        self._advised = 0
        self.width = 0
        """Pixels of the newest valid frame; 0 if unknown."""
        self.height = 0

    def begin(self, granted: Granted) -> None:
        """Take note of what a newly opened source gives."""
        self._granted = granted
        self._state.suspect = 0
        self._header.forget()
        self._settled = False
        self._before_ns = 0
        self._counters.begin_session()
        if granted.fps or not granted.first_frame_timeout_s:
            self._set_interval(granted.fps)
        # Else what the source gave before holds until it is known anew: between two frames of a
        # slow camera readers would take it for away.

    def settled(self) -> None:
        """Tell readers the measured interval where the source's own word is missing, or a wish."""
        self._settled = True
        granted, rate = self._granted, self._counters.rate()
        if not granted.fps or (granted.first_frame_timeout_s and 0 < rate < granted.fps):
            self._set_interval(rate)

    @property
    def heartbeat_ns(self) -> int:
        """When the fast path last began to wait for a frame, CLOCK_MONOTONIC; 0 if never."""
        return self._state.heartbeat_ns

    @property
    def fast_path(self) -> FastPath | None:
        """What takes usual frames now, None if there is nothing, or no frame is usual yet."""
        return self._fast_path if self._settled and self._state.header_length else None

    def take(self, captured: Captured) -> bool:
        """Publish one picture; False if it is not valid. It is counted either way."""
        fast_path = self.fast_path
        if (
            fast_path is not None
            and not self._gate.interval_ns
            and self._header.usual(captured)
            and fast_path.publish(captured.data, captured.captured_ns, captured.device_sequence)
        ):
            return True
        reason = self._publish(captured)
        valid = reason is None or reason in SOUND
        self._counters.record(
            device_sequence=captured.device_sequence,
            captured_ns=captured.captured_ns,
            now_ns=time.monotonic_ns(),
            rejected_for=reason,
            valid=valid,
        )
        return valid

    def unwanted(self, captured_ns: int) -> bool:
        """Tell whether a frame of that time need not be looked at; its source may ask before."""
        return self._settled and self._gate.drops(captured_ns)

    def _publish(self, captured: Captured) -> Rejection | None:
        """Return why the picture was not published, None if it was."""
        if captured.reject or captured.faulty:
            return captured.reject or "flagged"
        if self.unwanted(captured.captured_ns):
            return UNWATCHED
        self._tell_interval()
        data: memoryview | bytes = captured.data
        length, suspect = len(data), self._state.suspect
        thorough = length > suspect
        reason, start, end, header = jpeg.examine(data, thorough=thorough, known=self._header.known)
        if reason:
            return reason
        if start or end != length:
            data = memoryview(data)[start:end]
            length = end - start
        # A sixteenth above the longest picture of late: a camera's vary by less, as a rule.
        self._state.suspect = max(length + (length >> 4), suspect - (suspect >> 8))
        width, height = captured.width, captured.height
        if not width:
            width, height = self._granted.width, self._granted.height
        if not width:
            width, height = header.width, header.height
        flags = captured.flags | self._outlet.mark if self._outlet.mark else captured.flags
        if header.lacks_tables:
            data = jpeg.with_huffman_tables(data)
            flags |= FrameFlags.HUFFMAN_INSERTED
        hashed = payload_hash(data)
        reason = self._outlet.publish(
            ValidFrame(
                data, captured.captured_ns, captured.device_sequence, width, height, flags, hashed
            )
        )
        if reason == TOO_LARGE:
            self._advise(len(data))
        if reason is None or reason in SOUND:
            if not self._settled:
                self._notice_slowness(captured.captured_ns)
            self.freeze_detector.see(len(data), hashed, captured.captured_ns)
            self.width, self.height = width, height
            if start:
                self._header.forget()
            else:
                self._header.learn(captured, header, width, height, flags)
        return reason

    def _advise(self, length: int) -> None:
        """Say what ring would take a frame, also where others are small enough; once a size."""
        self.too_large = max(self.too_large, length)
        capacity = capacity_for(length)
        if capacity > self._advised:
            self._advised = capacity
            remedy = ring_size_remedy(length)
            log.warning(
                "too-large: the ring does not take a frame of %d bytes (%s)", length, remedy
            )

    def _notice_slowness(self, captured_ns: int) -> None:
        """Tell readers at its second frame that a camera is slow: the tenth may be minutes away."""
        before_ns, self._before_ns = self._before_ns, captured_ns
        gap_ns = captured_ns - before_ns
        if before_ns and self._granted.first_frame_timeout_s and gap_ns >= _SLOW_NS:
            self._outlet.set_interval(gap_ns)

    def _set_interval(self, fps: float) -> None:
        self._interval_ns = self._told_ns = round(1e9 / fps) if fps > 0 else 0
        self._outlet.set_interval(self._interval_ns)

    def _tell_interval(self) -> None:
        """Tell readers how long they wait for the next frame, where few are let through."""
        limit_ns = self._gate.interval_ns if self._settled else 0
        interval_ns = max(self._interval_ns, limit_ns)
        if interval_ns != self._told_ns:
            self._told_ns = interval_ns
            self._outlet.set_interval(interval_ns)
