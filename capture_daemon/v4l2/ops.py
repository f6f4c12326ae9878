"""The system calls that a V4L2 device takes, as one small object that can be exchanged.

`DeviceOps` is the seam: KernelOps is the real kernel, fake.FakeKernel a camera in this process;
tests wrap either to have it fail. Whatever stands behind it, a descriptor is a real one that `poll`
understands, and a mapping is a real mapping. Nothing here knows what the ioctls mean; errors leave
as OSError and are translated in errors.py.

linuxpy gives the structures and numbers (linuxpy.video.raw); its VideoCapture is not used, because
its close() leaves mappings behind when an ioctl fails.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import weakref
from typing import Protocol, TypeAlias

from linuxpy.video.raw import IOC

Argument: TypeAlias = ctypes.Structure | ctypes.c_int | ctypes.c_uint

_UNSIGNED = 0xFFFFFFFF  # linuxpy's numbers are signed; ioctl(2) takes an unsigned one
_MAP_FIXED = 0x10  # linux/mman.h; Python's mmap module does not name it
_MAP_FAILED = ctypes.c_void_p(-1).value
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class BufferMapping:
    """One kernel buffer, mapped read-only, which lets go of the device whenever it is told to.

    Python's own mmap will not do: it holds a second descriptor of the device, and its close()
    refuses while anybody still has a view of it, which would leave the camera owned. Here `unmap`
    puts anonymous memory in the place of the device's: the device is free at once, and a view kept
    too long reads zeros. The addresses are given back with the last view.
    """

    def __init__(self, fd: int, length: int, offset: int) -> None:
        """Map `length` bytes at `offset` of `fd`. Raises OSError."""
        self._length = length
        self.address = _map(None, length, mmap.MAP_SHARED, fd, offset)
        self._mapped = True
        memory = (ctypes.c_ubyte * length).from_address(self.address)
        finalizer = weakref.finalize(memory, _libc.munmap, self.address, length)
        finalizer.atexit = False
        self.view = memoryview(memory).cast("B").toreadonly()

    def unmap(self) -> None:
        """Let go of the device; twice is harmless. Raises OSError."""
        if self._mapped:
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_FIXED
            _map(self.address, self._length, flags, -1, 0)
            self._mapped = False


def _map(address: int | None, length: int, flags: int, fd: int, offset: int) -> int:
    result = _libc.mmap(address, length, mmap.PROT_READ, flags, fd, offset)
    if result is None or result == _MAP_FAILED:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return int(result)


class DeviceOps(Protocol):
    """What a session asks of the kernel. Every method raises OSError as the system call fails."""

    def open(self, path: str) -> int:
        """Open a device node, non-blocking and close-on-exec; return its descriptor."""

    def ioctl(self, fd: int, request: IOC, argument: Argument) -> None:
        """Do one ioctl; the answer is written into `argument`."""

    def mmap(self, fd: int, length: int, offset: int) -> BufferMapping:
        """Map one of the device's buffers."""

    def close(self, fd: int) -> None:
        """Close the descriptor."""

    @property
    def ioctl_address(self) -> int:
        """Where the fast path finds ioctl(2) in memory; 0 if it is not to be used."""


class KernelOps:
    """The real kernel."""

    def open(self, path: str) -> int:
        """Open a device node, non-blocking: a blocking DQBUF may outlive an unplug."""
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def ioctl(self, fd: int, request: IOC, argument: Argument) -> None:
        """Do one ioctl, again when a signal cut it short."""
        while True:
            try:
                fcntl.ioctl(fd, request & _UNSIGNED, argument)
            except InterruptedError:
                continue
            return

    def mmap(self, fd: int, length: int, offset: int) -> BufferMapping:
        """Map one of the device's buffers."""
        return BufferMapping(fd, length, offset)

    def close(self, fd: int) -> None:
        """Close the descriptor."""
        os.close(fd)

    @property
    def ioctl_address(self) -> int:
        """The C library's."""
        return ctypes.cast(_libc.ioctl, ctypes.c_void_p).value or 0
