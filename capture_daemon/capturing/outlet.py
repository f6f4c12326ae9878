"""The state of the one way into the ring, its lock and, where there is one, the fast path."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

from framebus.ring.writer import RingWriter

from capture_daemon.native.library import FastPath, Library, Mutex
from capture_daemon.native.state import InputState, OutletState


class Outlet:
    """One ring's. Without a library the slow path takes every frame."""

    def __init__(self, ring: RingWriter, library: Library | None = None) -> None:
        self.state = OutletState()
        self._library = library
        self.lock: AbstractContextManager[object] = threading.RLock()
        """Held by who publishes, counts or tells of a frame; who has it may take it again."""
        if library is not None:
            state, geometry = self.state, ring.geometry
            state.memory, state.epoch = ring.address, ring.epoch
            state.count, state.arena = geometry.count, geometry.arena
            state.capacity, state.hash = geometry.capacity, library.hash_address
            self.lock = Mutex(library, state)

    def fast_path(self, state: InputState) -> FastPath | None:
        """Return the fast path of a capture thread with this state, None if there is none."""
        return FastPath(self._library, self.state, state) if self._library else None
