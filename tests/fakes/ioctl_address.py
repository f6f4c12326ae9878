"""A fake kernel's ioctl as a function in memory, which the fast path can call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from linuxpy.video import raw
from linuxpy.video.raw import IOC

from capture_daemon.v4l2.ops import Argument

_PROTOTYPE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, use_errno=True
)
_REQUESTS = {int(each) & 0xFFFFFFFF: each for each in (IOC.QBUF, IOC.DQBUF)}


class IoctlAddress:
    """Keep it as long as the address is used."""

    def __init__(self, ioctl: Callable[[int, IOC, Argument], None]) -> None:
        def call(fd: int, number: int, argument: int) -> int:
            try:
                ioctl(fd, _REQUESTS[number], raw.v4l2_buffer.from_address(argument))
            except OSError as error:
                ctypes.set_errno(error.errno or 0)
                return -1
            return 0

        self._function = _PROTOTYPE(call)
        self.address = ctypes.cast(self._function, ctypes.c_void_p).value or 0
