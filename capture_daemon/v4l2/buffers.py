"""The kernel's buffers of one device: mapped, queued, dequeued, and let go of whole.

A buffer is the kernel's (queued, filled) or ours (dequeued). We have at most one, which goes back
by `give_back`. Only the thread that streams uses this; nothing here knows formats or pictures.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Callable, Iterator

from linuxpy.video import raw
from linuxpy.video.raw import IOC

from capture_daemon.native.state import BUFFERS, StreamState
from capture_daemon.sources.base import SourceError
from capture_daemon.v4l2.errors import translate
from capture_daemon.v4l2.handle import Handle
from capture_daemon.v4l2.ops import Argument, BufferMapping
from capture_daemon.v4l2.query import CAPTURE

_MOST = 32  # VIDEO_MAX_FRAME, linux/videodev2.h
_NONE = -1
_KERNELS = raw.BufferFlag.QUEUED | raw.BufferFlag.DONE


class Buffers:
    """The buffers of the device behind `handle`; none until `allocate` or `take_over`."""

    def __init__(self, handle: Handle, stream: StreamState) -> None:
        """Hold what is ours in `stream`, where the fast path looks for it too."""
        self._handle = handle
        self._stream = stream
        self._requested = False
        self._mappings: list[BufferMapping] = []
        self._queued: list[raw.v4l2_buffer] = []  # one each: not to be made anew for each frame
        self.dequeued = _buffer()
        """The buffer that was dequeued last."""
        stream.buffer = ctypes.addressof(self.dequeued)
        stream.held = _NONE
        self._found: raw.v4l2_buffer | None = None

    def __len__(self) -> int:
        return len(self._mappings)

    def allocate(self, count: int) -> None:
        """Ask for `count` buffers, map and queue those that are granted. Raises SourceError."""
        request = _request(count)
        self._requested = True
        self._handle.ioctl(IOC.REQBUFS, request)
        for index in range(request.count):
            buffer = _buffer(index)
            self._handle.ioctl(IOC.QUERYBUF, buffer)
            self._map(buffer)
        self.queue_all()

    def take_over(self, is_news: Callable[[raw.v4l2_buffer], bool]) -> None:
        """Map the buffers that a process before us had.

        A filled one in its hands is given by `found`, if it `is_news`; else it is queued. (Several
        are what a STREAMOFF left, and no frames.) Raises SourceError, also when there are none.
        """
        self._requested = True
        in_hand = []
        for index in range(_MOST):
            buffer = _buffer(index)
            if not self._exists(buffer):
                break
            self._map(buffer)
            if not buffer.flags & _KERNELS:
                in_hand.append(buffer)
        if len(in_hand) == 1 and in_hand[0].bytesused and is_news(in_hand[0]):
            self._found = in_hand.pop()
        for buffer in in_hand:
            self._queue(buffer.index)
        if not self._mappings:
            raise SourceError(
                "not-streaming",
                f"{self._handle.device} was handed over without buffers",
                remedy="it is opened afresh by itself",
            )

    def stream_on(self) -> None:
        """Start the flow; changes nothing where it runs. Raises SourceError."""
        self._handle.ioctl(IOC.STREAMON, raw.cint(CAPTURE))

    def stream_off(self) -> None:
        """Stop the flow; every buffer is ours then. Raises SourceError."""
        self._stream.held, self._found = _NONE, None
        self._handle.ioctl(IOC.STREAMOFF, raw.cint(CAPTURE))

    def queue_all(self) -> None:
        """Give all buffers to the kernel, when none is there. Raises SourceError."""
        for index in range(len(self._mappings)):
            self._queue(index)

    def found(self) -> raw.v4l2_buffer | None:
        """Return the buffer that was in a dead process' hands, once."""
        buffer, self._found = self._found, None
        if buffer is not None:
            self._stream.held = buffer.index
        return buffer

    @property
    def has_found(self) -> bool:
        """Whether `found` has one."""
        return self._found is not None

    def dequeue(self) -> raw.v4l2_buffer | None:
        """Take a filled buffer, None if there is none; valid until the next. Raises SourceError."""
        buffer = self.dequeued
        try:
            self._handle.ioctl(IOC.DQBUF, buffer)
        except SourceError as error:
            if error.errno == errno.EAGAIN:
                return None
            raise
        self._stream.held = buffer.index
        return buffer

    def view(self, buffer: raw.v4l2_buffer) -> memoryview:
        """The bytes of a dequeued buffer, read-only."""
        used: int = buffer.bytesused
        index: int = buffer.index
        return self._mappings[index].view[:used]

    def give_back(self) -> None:
        """Queue the buffer that was dequeued last, if there is one. Raises SourceError."""
        index, self._stream.held = self._stream.held, _NONE
        if index != _NONE:
            self._queue(index)

    def release(self) -> Iterator[SourceError]:
        """STREAMOFF, munmap all, REQBUFS(0), each whatever the one before did; yields what failed.

        Does nothing before buffers were asked for: on older kernels REQBUFS alone would make us the
        owner. What failed is tried again by the next call.
        """
        self._stream.held, self._found = _NONE, None
        self._stream.buffers = 0
        self._queued.clear()
        if self._requested:
            yield from self._attempt(IOC.STREAMOFF, raw.cint(CAPTURE))
        while self._mappings:
            try:
                self._mappings.pop().unmap()
            except OSError as error:
                yield translate("munmap", error, self._handle.device)
        if self._requested:
            failures = list(self._attempt(IOC.REQBUFS, _request(0)))
            self._requested = bool(failures)
            yield from failures

    def _exists(self, buffer: raw.v4l2_buffer) -> bool:
        try:
            return self._handle.enumerate(IOC.QUERYBUF, buffer)
        except SourceError as error:
            # 6.1 says so on a descriptor that does not own the stream, whoever else does.
            if error.errno == errno.EBUSY:
                return False
            raise

    def _map(self, buffer: raw.v4l2_buffer) -> None:
        mapping = self._handle.mmap(buffer.length, buffer.m.offset)
        at = len(self._mappings)
        self._mappings.append(mapping)
        self._queued.append(_buffer(at))
        if at < BUFFERS:
            self._stream.addresses[at] = mapping.address
            self._stream.lengths[at] = buffer.length
            self._stream.buffers = at + 1

    def _queue(self, index: int) -> None:
        self._handle.ioctl(IOC.QBUF, self._queued[index])

    def _attempt(self, request: IOC, argument: Argument) -> Iterator[SourceError]:
        try:
            self._handle.ioctl(request, argument)
        except SourceError as error:
            yield error


def _buffer(index: int = 0) -> raw.v4l2_buffer:
    return raw.v4l2_buffer(index=index, type=CAPTURE, memory=raw.Memory.MMAP)


def _request(count: int) -> raw.v4l2_requestbuffers:
    return raw.v4l2_requestbuffers(count=count, type=CAPTURE, memory=raw.Memory.MMAP)
