"""The buffers of FakeKernel's device, in a memfd: videobuf2 in small.

Whoever has the device open waits on a socket: it is readable when a buffer is filled.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from dataclasses import dataclass

from linuxpy.video.raw import BufferFlag, v4l2_buffer

_PAGE = 4096


@dataclass(slots=True)
class _Buffer:
    state: int = 0
    """QUEUED, DONE (filled), or 0: the program's."""
    error: bool = False
    used: int = 0
    stamp_ns: int = 0
    sequence: int = 0


class FakeQueue:
    """`count` buffers of at least `size` bytes each, announced on the socket `wake`."""

    def __init__(self, count: int, size: int, wake: socket.socket) -> None:
        self.length = -(-size // _PAGE) * _PAGE
        self.memory = os.memfd_create(
            "fake-v4l2", os.MFD_CLOEXEC
        )  # so it is called in /proc/PID/maps
        os.ftruncate(self.memory, count * self.length)
        self.streaming = False
        self._wake = wake
        self._buffers = [_Buffer() for _ in range(count)]
        self._queued: deque[int] = deque()
        self._done: deque[int] = deque()

    @property
    def room(self) -> int:
        """How many buffers wait to be filled."""
        return len(self._queued)

    def query(self, answer: v4l2_buffer, *, mapped: bool) -> None:
        """QUERYBUF."""
        self._describe(answer, self._at(answer.index))
        if not mapped:
            answer.flags &= ~BufferFlag.MAPPED

    def queue(self, index: int) -> None:
        """QBUF."""
        buffer = self._at(index)
        if buffer.state:
            raise OSError(errno.EINVAL, "the buffer is the kernel's already")
        buffer.state = BufferFlag.QUEUED
        self._queued.append(index)

    def fill(self, data: bytes, *, sequence: int, stamp_ns: int, error: bool) -> None:
        """Fill the next queued buffer and wake who waits."""
        index = self._queued.popleft()
        buffer = self._buffers[index]
        os.pwrite(self.memory, data[: self.length], index * self.length)
        buffer.state, buffer.error = BufferFlag.DONE, error
        buffer.used = min(len(data), self.length)
        buffer.sequence, buffer.stamp_ns = sequence, stamp_ns
        self._done.append(index)
        self._wake.send(b".")

    def dequeue(self, answer: v4l2_buffer, fd: int) -> None:
        """DQBUF on the descriptor `fd`."""
        if not self.streaming:
            raise OSError(errno.EINVAL, "not streaming")
        if not self._done:
            raise OSError(errno.EAGAIN, "no buffer is filled")
        os.read(fd, 1)
        index = self._done.popleft()
        buffer = self._buffers[index]
        buffer.state = 0
        answer.index = index
        self._describe(answer, buffer)

    def stream_off(self, fd: int) -> None:
        """STREAMOFF: every buffer is given back unfilled."""
        self.streaming = False
        for _ in self._done:
            os.read(fd, 1)
        self._queued.clear()
        self._done.clear()
        for buffer in self._buffers:
            buffer.state = 0

    def free(self) -> None:
        """Give the memory back; mappings of it stay valid."""
        os.close(self.memory)

    def _describe(self, answer: v4l2_buffer, buffer: _Buffer) -> None:
        answer.length, answer.m.offset = self.length, answer.index * self.length
        answer.bytesused, answer.sequence = buffer.used, buffer.sequence
        answer.flags = buffer.state | BufferFlag.MAPPED | BufferFlag.TIMESTAMP_MONOTONIC
        if buffer.error:
            answer.flags |= BufferFlag.ERROR
        answer.timestamp.secs, rest = divmod(buffer.stamp_ns, 1_000_000_000)
        answer.timestamp.usecs = rest // 1000

    def _at(self, index: int) -> _Buffer:
        if index >= len(self._buffers):
            raise OSError(errno.EINVAL, "no such buffer")
        return self._buffers[index]
