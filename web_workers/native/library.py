"""Loads the pump, and runs it."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Final

from framebus.native_library import Unavailable, address_of_xxh3, load

from web_workers.native.state import PumpState

PATH: Final = Path(__file__).with_name("pump.so")


class Pump:
    """One worker's. Its state may be changed whenever it does not run."""

    def __init__(self, path: Path = PATH) -> None:
        """Load it. Raises Unavailable, which says why it cannot be."""
        library = load(path)
        try:
            library.pump_size.restype = ctypes.c_uint64
            same = library.pump_size() == ctypes.sizeof(PumpState)
        except AttributeError:
            same = False
        if not same:
            raise Unavailable(f"{path} is of another version: install framebus again")
        library.pump_run.argtypes, library.pump_run.restype = (ctypes.c_void_p,), None
        self.state = PumpState(hash=address_of_xxh3())
        self._said = memoryview(self.state.said).cast("B")
        self._address = ctypes.addressof(self.state)
        self._run = library.pump_run

    def run(self) -> list[tuple[int, int]]:
        """Pump; return what is ready, descriptors and their epoll events, for Python to deal with.

        Other threads run meanwhile, and a signal ends it.
        """
        self._run(self._address)
        ready = self.state.ready
        return [(ready[2 * i], ready[2 * i + 1]) for i in range(self.state.events)]

    def said(self) -> bytes:
        """Return what came from the hints' socket and was not usual."""
        return bytes(self._said[: self.state.said_size])

    def taken(self) -> list[tuple[int, int]]:
        """Return who did not take all of the newest frame, by number, and what each took of it."""
        state = self.state
        if not state.behind:
            return []
        taken = enumerate(state.taken[: state.viewers])
        return [(number, took) for number, took in taken if took != state.size]
