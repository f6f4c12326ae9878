"""A SharedMemory object that multiprocessing's resource tracker never hears of.

The tracker is a process that `multiprocessing` starts with the first segment. It unlinks what it
was told of, by name, once whoever told it is gone, killed or not. A ring outlives its daemon, for
the next one to go on from, and a daemon is one process.

Python 3.13 has `track=False`. Before that, the two methods of SharedMemory that tell the tracker
run here over a copy of their module's names, in which the tracker does nothing. The module itself
stays as it is at every moment: what other threads make meanwhile is tracked as ever, and no lock is
needed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from multiprocessing.shared_memory import SharedMemory
from types import FunctionType, SimpleNamespace
from typing import cast


class UntrackedSharedMemory(SharedMemory):
    """A new shared-memory object, for its owner to read and write; only `unlink` removes it."""

    _fd: int  # these two are SharedMemory's own
    _buf: memoryview

    def __init__(self, name: str, size: int) -> None:
        """Make one of `size` bytes with mode 0600 under a name that is free; raises OSError.

        It has no blocks yet: until they are allocated a store may be SIGBUS.
        """
        if sys.version_info >= (3, 13):
            super().__init__(name, create=True, size=size, track=False)
        else:
            _without_tracker(SharedMemory.__init__)(self, name, create=True, size=size)

    def fileno(self) -> int:
        """Return its descriptor, which `close` closes."""
        return self._fd

    @property
    def buf(self) -> memoryview:
        """All its bytes, until `close`."""
        return self._buf

    if sys.version_info < (3, 13):

        def unlink(self) -> None:
            """Remove its name; raises FileNotFoundError when somebody has."""
            _without_tracker(SharedMemory.unlink)(self)


_NO_TRACKER = SimpleNamespace(register=lambda *_: None, unregister=lambda *_: None)
"""What takes the place of multiprocessing.resource_tracker: it starts no process."""


def _without_tracker(method: Callable[..., None]) -> FunctionType:
    """Return a method of SharedMemory as it is, but with no tracker to tell."""
    function = cast(FunctionType, method)
    names = {**function.__globals__, "resource_tracker": _NO_TRACKER}
    return FunctionType(function.__code__, names, function.__name__, function.__defaults__)
