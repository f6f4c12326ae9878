"""A kernel with cameras in this process, on real descriptors and real mappings.

A descriptor is one end of a socket pair: readable when a buffer is filled, hung up after an unplug,
and may be duplicated or sent. What each ioctl answers in which state is what uvcvideo was seen to
do on 6.1 and on 7.2; other failures are put in by whoever wraps it. Two things are not modelled:
poll's POLLERR on a stream that is off, and a process that dies.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from linuxpy.video.raw import IOC

from capture_daemon.v4l2.fake.camera import FakeCamera
from capture_daemon.v4l2.fake.device import FakeDevice, FakeFile
from capture_daemon.v4l2.fake.queries import os_error
from capture_daemon.v4l2.ops import Argument, BufferMapping


class _CountedMapping(BufferMapping):
    def __init__(self, fd: int, length: int, offset: int, released: Callable[[], None]) -> None:
        super().__init__(fd, length, offset)
        self._released = released

    def unmap(self) -> None:
        if self._mapped:
            super().unmap()
            self._released()


class FakeKernel:
    """DeviceOps over fake cameras, as on 6.1, or as on 7.2 (`newer`)."""

    def __init__(
        self,
        cameras: Sequence[FakeCamera],
        *,
        newer: bool = False,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.ioctl_address = 0  # the fast path's calls would go past what is put in here
        self._lock = threading.RLock()
        self._files: dict[int, tuple[FakeDevice, FakeFile]] = {}
        self._make = partial(FakeDevice, newer=newer, now_ns=now_ns)
        self._devices = {camera.path: self._make(camera) for camera in cameras}

    def open(self, path: str) -> int:
        """Open a camera's node."""
        with self._lock:
            device = self._devices.get(path)
            if device is None:
                raise os_error(errno.ENOENT)
            user, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            user.setblocking(False)
            fd = user.detach()
            file = FakeFile(kernel)
            self._files[os.fstat(fd).st_ino] = (device, file)
            device.open(file)
            return fd

    def ioctl(self, fd: int, request: IOC, argument: Argument) -> None:
        """Do one ioctl."""
        with self._lock:
            device, file = self._of(fd)
            device.ioctl(file, fd, request, argument)

    def mmap(self, fd: int, length: int, offset: int) -> BufferMapping:
        """Map one buffer."""
        with self._lock:
            device, file = self._of(fd)
            memory = device.memory(file)
            inode = os.fstat(fd).st_ino
            mapping = _CountedMapping(memory, length, offset, lambda: self._unmapped(inode))
            file.mappings += 1
            return mapping

    def close(self, fd: int) -> None:
        """Close the descriptor; the device is free after the last one and the last mapping."""
        with self._lock:
            inode = os.fstat(fd).st_ino
            os.close(fd)
            self._release(inode)

    def deliver(self, path: str = "/dev/video0", count: int = 1, *, stamp_ns: int = 0) -> None:
        """Let a camera send `count` frames, stamped with the time now unless `stamp_ns` says."""
        with self._lock:
            for _ in range(count):
                self._devices[path].deliver(stamp_ns)

    def fail_urbs(self, path: str = "/dev/video0", count: int = 1) -> None:
        """Let `count` USB transfers fail: all queued buffers come back; after five, silence."""
        with self._lock:
            for _ in range(count):
                self._devices[path].fail_urb()

    def unplug(self, path: str = "/dev/video0") -> None:
        """Take a camera away."""
        with self._lock:
            self._devices.pop(path).unplug()

    def plug(self, camera: FakeCamera) -> None:
        """Plug a camera in, at its path."""
        with self._lock:
            self._devices[camera.path] = self._make(camera)

    @contextmanager
    def playing(self, *, fps: float = 30.0) -> Iterator[None]:
        """Let every camera that streams send frames by itself within the block."""
        stop = threading.Event()

        def play() -> None:
            while not stop.wait(1 / fps):
                with self._lock:
                    for device in self._devices.values():
                        device.deliver(0)

        thread = threading.Thread(target=play, name="fake camera")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def descriptors(self) -> int:
        """How many descriptors of cameras this process has open."""
        with self._lock:
            return sum(inode in self._files for inode in _inodes())

    def mappings(self) -> int:
        """How many buffers are mapped."""
        with self._lock:
            return sum(file.mappings for _, file in self._files.values())

    def _of(self, fd: int) -> tuple[FakeDevice, FakeFile]:
        found = self._files.get(os.fstat(fd).st_ino)
        if found is None:
            raise os_error(errno.ENOTTY)
        return found

    def _unmapped(self, inode: int) -> None:
        with self._lock:
            self._files[inode][1].mappings -= 1
            self._release(inode)

    def _release(self, inode: int) -> None:
        device, file = self._files[inode]
        if not file.mappings and inode not in _inodes():
            del self._files[inode]
            device.release(file)


def _inodes() -> list[int]:
    """Return the inode of each socket that this process has open."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:  # the listing's own descriptor
            continue
        if target.startswith("socket:["):
            found.append(int(target[8:-1]))
    return found
