"""One open device descriptor, which several threads may use and one closes.

The capture thread streams on it; a control call may come from another thread meanwhile and take
five seconds, when the camera does not answer. Closing waits for it, so that the number of the
descriptor is not given to another file while a thread is about to use it; but not for ever.
Nothing here knows what an ioctl means.
"""

from __future__ import annotations

import errno
import threading

from linuxpy.video.raw import IOC

from capture_daemon.sources.base import SourceError, SourceGone
from capture_daemon.v4l2.errors import translate
from capture_daemon.v4l2.ops import Argument, BufferMapping, DeviceOps

CLOSE_WAIT_S = 6.0
"""Longer than a USB control transfer takes to time out (5 s). A thread that is still in its ioctl
then is inside the kernel for certain, which holds the file itself; closing is safe."""

_END_OF_LIST = frozenset({errno.EINVAL, errno.ENOTTY})


class Handle:
    """An open device. All methods may be called from any thread."""

    def __init__(self, ops: DeviceOps, fd: int, device: str) -> None:
        """Take `fd` over; `device` is its name for people."""
        self.device = device
        self._ops = ops
        self._fd = fd
        self._users = 0
        self._closing = False
        self._lock = threading.Lock()  # a Condition's own is Python; two ioctls a frame take it
        self._ended = threading.Condition(self._lock)

    @classmethod
    def open(cls, ops: DeviceOps, device: str) -> Handle:
        """Open the node `device`. Raises SourceError."""
        try:
            fd = ops.open(device)
        except OSError as error:
            raise translate("open", error, device) from error
        return cls(ops, fd, device)

    def fileno(self) -> int:
        """The descriptor, for the thread that closes it."""
        return self._fd

    @property
    def ioctl_address(self) -> int:
        """Where the fast path finds ioctl(2); 0 if it is not to be used."""
        return self._ops.ioctl_address

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closing

    def ioctl(self, request: IOC, argument: Argument) -> None:
        """Do one ioctl. Raises SourceError; SourceGone once closing has begun."""
        fd = self._begin()
        try:
            self._ops.ioctl(fd, request, argument)
        except OSError as error:
            raise translate(request.name, error, self.device) from error
        finally:
            self._end()

    def enumerate(self, request: IOC, argument: Argument) -> bool:
        """Do one step of an enumeration; False at its end, or where the driver has none."""
        try:
            self.ioctl(request, argument)
        except SourceError as error:
            if error.errno in _END_OF_LIST:
                return False
            raise
        return True

    def mmap(self, length: int, offset: int) -> BufferMapping:
        """Map one buffer. Raises SourceError."""
        fd = self._begin()
        try:
            return self._ops.mmap(fd, length, offset)
        except OSError as error:
            raise translate("mmap", error, self.device) from error
        finally:
            self._end()

    def close(self) -> None:
        """Close the descriptor after the ioctls under way, once. Raises SourceError."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._ended.wait_for(lambda: not self._users, CLOSE_WAIT_S)
        try:
            self._ops.close(self._fd)
        except OSError as error:
            raise translate("close", error, self.device) from error

    def _begin(self) -> int:
        """Return the descriptor, which stays open until `_end`. Raises SourceGone."""
        with self._lock:
            if self._closing:
                raise SourceGone(
                    "not-open", f"{self.device} is not open", remedy="start the capture"
                )
            self._users += 1
        return self._fd

    def _end(self) -> None:
        with self._lock:
            self._users -= 1
            if self._closing:
                self._ended.notify_all()
