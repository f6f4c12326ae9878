"""One device of FakeKernel: who owns it, and what each ioctl that touches the stream answers.

The rules are uvcvideo's and videobuf2's, as seen on 6.1, where the first S_FMT, S_PARM or REQBUFS
owns the stream and damaged frames are lost, and (`newer`) on 7.2, where whoever has buffers owns it
and damaged frames come with the ERROR flag. The caller holds the kernel's lock.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from linuxpy.video import raw
from linuxpy.video.raw import IOC

from capture_daemon.v4l2.fake.camera import FakeCamera, FrameFault
from capture_daemon.v4l2.fake.queries import QUERIES, os_error
from capture_daemon.v4l2.fake.queue import FakeQueue
from capture_daemon.v4l2.query import fourcc_number

_URBS = 5  # UVC_URBS, drivers/media/usb/uvc/uvcvideo.h: none is sent again after it failed
_OWNERS_ONLY = frozenset({IOC.QUERYBUF, IOC.QBUF, IOC.DQBUF, IOC.STREAMON, IOC.STREAMOFF})
_BY_PRIORITY = frozenset(
    {
        *(IOC.S_FMT, IOC.S_PARM, IOC.S_CTRL, IOC.S_PRIORITY),
        *(IOC.REQBUFS, IOC.STREAMON, IOC.STREAMOFF),
    }
)


@dataclass(eq=False, slots=True)
class FakeFile:
    """One open file of a device: the kernel's end of it."""

    socket: socket.socket
    priority: int = raw.Priority.DEFAULT
    mappings: int = 0


class FakeDevice:
    """One camera's node."""

    def __init__(self, camera: FakeCamera, *, newer: bool, now_ns: Callable[[], int]) -> None:
        self.owner: FakeFile | None = None
        self._camera = camera
        self._newer = newer
        self._now_ns = now_ns
        self._files: set[FakeFile] = set()
        self._gone = False
        self._queue: FakeQueue | None = None
        self._sequence = self._sent = self._failed_urbs = 0
        self._fourcc = next(iter(camera.offers))
        self._size = next(iter(camera.offers[self._fourcc]))
        self._rate = camera.offers[self._fourcc][self._size][0]
        self._answers: Mapping[IOC, Callable[[FakeFile, int, Any], None]] = {
            IOC.G_FMT: self._get_format,
            IOC.S_FMT: self._set_format,
            IOC.G_PARM: self._get_rate,
            IOC.S_PARM: self._set_rate,
            IOC.S_PRIORITY: self._set_priority,
            IOC.REQBUFS: self._request_buffers,
            IOC.QUERYBUF: lambda file, _, answer: self._buffers().query(
                answer, mapped=bool(file.mappings)
            ),
            IOC.QBUF: lambda _, __, answer: self._buffers().queue(answer.index),
            IOC.DQBUF: lambda _, fd, answer: self._buffers().dequeue(answer, fd),
            IOC.STREAMON: self._stream_on,
            IOC.STREAMOFF: self._stream_off,
        }

    def open(self, file: FakeFile) -> None:
        """Somebody opened the node."""
        self._files.add(file)

    def ioctl(self, file: FakeFile, fd: int, request: IOC, argument: Any) -> None:
        """Do one ioctl; `fd` is the caller's descriptor of `file`."""
        if self._gone:
            raise os_error(errno.ENODEV)
        if request in _BY_PRIORITY:
            others = self._files - {file}
            if any(other.priority > file.priority for other in others):
                raise os_error(errno.EBUSY)
        if not self._newer:
            if request in _OWNERS_ONLY and self.owner is not file:
                raise os_error(errno.EBUSY)
        elif request in _OWNERS_ONLY - {IOC.QUERYBUF}:
            self._check_owner(file)
        if request in QUERIES:
            QUERIES[request](self._camera, argument)
        elif request in self._answers:
            self._answers[request](file, fd, argument)
        else:
            raise os_error(errno.ENOTTY)

    def memory(self, file: FakeFile) -> int:
        """The descriptor of the buffers' memory, for mmap."""
        if self._gone:
            raise os_error(errno.ENODEV)
        self._check_owner(file)
        return self._buffers().memory

    def deliver(self, stamp_ns: int) -> None:
        """Send one frame, if the stream is on; 0 stamps it with the time now."""
        queue = self._queue
        if queue is None or not queue.streaming or self._camera.silent:
            return
        if self._failed_urbs >= _URBS:
            return
        sequence, self._sequence = self._sequence, self._sequence + 1
        picture = self._camera.picture(self._fourcc, self._size, self._sent)
        self._sent += 1
        picture, fault = self._camera.damage(picture)
        noticed = fault is not None and fault.seen_by_driver
        if not queue.room or (noticed and not self._newer):
            return  # lost: a gap in the sequence
        if fault is FrameFault.OVERSIZED:
            picture = picture.ljust(queue.length, b"\0")
        queue.fill(picture, sequence=sequence, stamp_ns=stamp_ns or self._now_ns(), error=noticed)

    def fail_urb(self) -> None:
        """One USB transfer fails: every queued buffer comes back, flagged and empty."""
        queue = self._queue
        if queue is not None and queue.streaming:
            self._failed_urbs += 1
            while queue.room:
                queue.fill(b"", sequence=0, stamp_ns=0, error=True)

    def unplug(self) -> None:
        """The camera is away: descriptors hang up."""
        self._gone = True
        for file in self._files:
            file.socket.close()

    def release(self, file: FakeFile) -> None:
        """The last descriptor and the last mapping of an open file are gone."""
        self._files.discard(file)
        file.socket.close()
        if self.owner is file:
            self._free()
            self.owner = None

    def _check_owner(self, file: FakeFile) -> None:
        if self.owner is not None and self.owner is not file:
            raise os_error(errno.EBUSY)

    def _buffers(self) -> FakeQueue:
        if self._queue is None:
            raise os_error(errno.EINVAL)
        return self._queue

    def _free(self) -> None:
        if self._queue is not None:
            self._queue.free()
            self._queue = None

    def _get_format(self, _file: FakeFile, _fd: int, answer: Any) -> None:
        pix = answer.fmt.pix
        pix.width, pix.height = self._size
        pix.pixelformat = fourcc_number(self._fourcc)
        pix.bytesperline = 0 if self._fourcc == "MJPG" else 2 * pix.width
        pix.sizeimage = 2 * pix.width * pix.height

    def _set_format(self, file: FakeFile, fd: int, answer: Any) -> None:
        if self._queue is not None:
            raise os_error(errno.EBUSY)
        self._take(file)
        offers, pix = self._camera.offers, answer.fmt.pix
        self._fourcc = next(
            (known for known in offers if fourcc_number(known) == pix.pixelformat),
            next(iter(offers)),
        )
        sizes = offers[self._fourcc]
        self._size = min(
            sizes, key=lambda size: abs(size[0] - pix.width) + abs(size[1] - pix.height)
        )
        self._rate = sizes[self._size][0]
        self._get_format(file, fd, answer)

    def _get_rate(self, _file: FakeFile, _fd: int, answer: Any) -> None:
        interval = answer.parm.capture.timeperframe
        interval.numerator, interval.denominator = 1, self._rate

    def _set_rate(self, file: FakeFile, fd: int, answer: Any) -> None:
        if self._queue is not None and self._queue.streaming:
            raise os_error(errno.EBUSY)
        self._take(file)
        interval = answer.parm.capture.timeperframe
        wanted = interval.denominator / max(1, interval.numerator)
        rates = self._camera.offers[self._fourcc][self._size]
        self._rate = min(rates, key=lambda rate: abs(rate - wanted))
        self._get_rate(file, fd, answer)

    def _take(self, file: FakeFile) -> None:
        self._check_owner(file)
        if not self._newer:
            self.owner = file

    def _set_priority(self, file: FakeFile, _fd: int, argument: Any) -> None:
        file.priority = argument.value

    def _request_buffers(self, file: FakeFile, _fd: int, answer: Any) -> None:
        self._check_owner(file)
        queue = self._queue
        if queue is not None and (queue.streaming or file.mappings):
            raise os_error(errno.EBUSY)
        self._free()
        self.owner = None
        if answer.count:
            size = 2 * self._size[0] * self._size[1]
            self._queue = FakeQueue(answer.count, size, file.socket)
            self.owner = file

    def _stream_on(self, _file: FakeFile, _fd: int, _argument: Any) -> None:
        queue = self._buffers()
        if not queue.streaming:
            self._sequence = self._failed_urbs = 0
            queue.streaming = True

    def _stream_off(self, _file: FakeFile, fd: int, _argument: Any) -> None:
        if self._queue is not None:
            self._queue.stream_off(fd)
