"""Frames that are due at times, published by the fast path as long as they are usual."""

from __future__ import annotations

import ctypes

from capture_daemon.native.library import FastPath, PacedOutcome
from capture_daemon.native.state import PacedState
from capture_daemon.sources.base import Interrupt
from capture_daemon.sources.pacing import Pacer


class PacedFrames:
    """What one source shows by the same pacer as its `read` goes by. Of the capture thread."""

    def __init__(self, pacer: Pacer, interrupt: Interrupt, *, by_tick: bool = False) -> None:
        """With `by_tick` a tick that is missed takes its frame with it, and its number."""
        self._pacer = pacer
        self._buffer = bytearray()
        self.state = PacedState(
            interrupt=interrupt.fileno(),
            file=-1,
            start_ns=pacer.start_ns,
            interval_ns=pacer.interval_ns,
            by_tick=by_tick,
        )

    def make_room(self, length: int) -> memoryview:
        """Have a buffer of that many bytes at least, and return it."""
        if len(self._buffer) < length:
            self._buffer = bytearray(length)
            self.state.buffer = ctypes.addressof(ctypes.c_ubyte.from_buffer(self._buffer))
            self.state.room = length
        return memoryview(self._buffer)

    def show(self, fast_path: FastPath, timeout_s: float) -> PacedOutcome:
        """Publish frames as they are due, until one is not usual, or none is for so long."""
        self.state.tick = self._pacer.next_tick
        outcome = fast_path.paced(self.state, max(0, round(timeout_s * 1000)))
        self._pacer.next_tick = self.state.tick
        return outcome

    @property
    def frame(self) -> memoryview:
        """The frame that was not usual; valid until the next call of anything here."""
        return memoryview(self._buffer)[: self.state.length]
