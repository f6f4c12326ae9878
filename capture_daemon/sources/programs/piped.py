"""Pictures that a child program writes, published by the fast path as long as they are usual."""

from __future__ import annotations

import ctypes

from capture_daemon.native.library import FastPath
from capture_daemon.native.state import PipeState
from capture_daemon.sources.base import Interrupt
from capture_daemon.sources.programs.child import Child

_ROOM = 4 << 20
"""Bytes of the largest picture that is usual; what is not used of it is no memory."""


class PipedFrames:
    """What one source reads of its children. Of the capture thread."""

    def __init__(self, interrupt: Interrupt) -> None:
        self._interrupt = interrupt
        self._buffer = bytearray()
        self._state = PipeState(room=_ROOM)

    def show(self, child: Child, sequence: int, fast_path: FastPath, timeout_s: float) -> bool:
        """Publish pictures, numbered from after `sequence`, until there is something else.

        False after so long without one, or an interrupt. What is `taken` was not published.
        """
        state = self._state
        if not self._buffer:
            self._buffer = bytearray(_ROOM)
            state.buffer = ctypes.addressof(ctypes.c_ubyte.from_buffer(self._buffer))
        state.interrupt = self._interrupt.fileno()
        state.out, state.err = child.outputs
        state.filled, state.sequence = 0, sequence
        return fast_path.pipe(state, max(0, round(timeout_s * 1000)))

    @property
    def sequence(self) -> int:
        """The number of the picture that was published last."""
        return self._state.sequence

    @property
    def taken(self) -> memoryview:
        """What was read and not published."""
        return memoryview(self._buffer)[: self._state.filled]
