"""Failures injected between a session and its kernel, fake or real: faults are data.

ops = FaultyOps(KernelOps(), [Fault("STREAMON", errno.EIO)])
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from linuxpy.video.raw import IOC

from capture_daemon.v4l2.ops import Argument, BufferMapping, DeviceOps

ANY = "*"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Fault:
    """Calls number `first` to `first` + `times` - 1 of an operation fail with `error`."""

    operation: str
    """"open", "mmap", "close", an ioctl's name ("S_FMT"), or ANY."""
    error: int = 0
    """0: only wait for `release`."""
    first: int = 1
    times: int = 1
    release: threading.Event | None = field(default=None, compare=False)
    """The call hangs until this is set, as a control request that the camera does not answer."""

    def hits(self, call: int) -> bool:
        """Whether the operation's call number `call` (from 1) is struck."""
        return self.first <= call < self.first + self.times


class FaultyOps:
    """Passes everything on, but for the faults; remembers every operation in `calls`."""

    ioctl_address = 0

    def __init__(self, inner: DeviceOps, faults: Iterable[Fault] = ()) -> None:
        self.calls: list[str] = []
        self.faults = list(faults)
        self._inner = inner

    def open(self, path: str) -> int:
        """See DeviceOps."""
        return self._do("open", lambda: self._inner.open(path))

    def ioctl(self, fd: int, request: IOC, argument: Argument) -> None:
        """See DeviceOps."""
        self._do(request.name, lambda: self._inner.ioctl(fd, request, argument))

    def mmap(self, fd: int, length: int, offset: int) -> BufferMapping:
        """See DeviceOps."""
        return self._do("mmap", lambda: self._inner.mmap(fd, length, offset))

    def close(self, fd: int) -> None:
        """Close the descriptor, whatever is injected: so does Linux when close(2) fails."""
        self._inner.close(fd)
        self._do("close", lambda: None)

    def _do(self, operation: str, act: Callable[[], Result]) -> Result:
        self.calls.append(operation)
        for fault in self.faults:
            if fault.operation in (operation, ANY):
                calls = self.calls if fault.operation == ANY else self._calls_of(operation)
                if fault.hits(len(calls)):
                    if fault.release is not None:
                        fault.release.wait()
                    if fault.error:
                        raise OSError(fault.error, os.strerror(fault.error))
        return act()

    def _calls_of(self, operation: str) -> list[str]:
        return [call for call in self.calls if call == operation]
