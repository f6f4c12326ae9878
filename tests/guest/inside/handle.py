"""One open V4L2 capture node by plain ioctls, for tests that ask which errno the driver gives.

Nothing is retried, tidied up or translated here: what the kernel says is the result.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import select
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from linuxpy.video import raw

from tests.guest.camera.pictures import Stamp, read_stamp

CAPTURE = raw.BufType.VIDEO_CAPTURE.value
MMAP = raw.Memory.MMAP.value
BRIGHTNESS = raw.ControlID.BRIGHTNESS.value
OK = "ok"


def outcome_of(error: OSError | None) -> str:
    """Return "ok" or the errno's name."""
    return OK if error is None else errno.errorcode[error.errno or 0]


@dataclass(frozen=True)
class Dequeued:
    """One buffer as DQBUF gave it."""

    sequence: int
    data: bytes
    faulty: bool
    """V4L2_BUF_FLAG_ERROR."""
    timestamp_s: float

    @property
    def stamp(self) -> Stamp:
        """The picture's own stamp."""
        return read_stamp(self.data)

    @property
    def whole(self) -> bool:
        """Whether it begins and, but for trailing zeros, ends as a JPEG does."""
        return self.data.startswith(b"\xff\xd8") and self.data.rstrip(b"\0").endswith(b"\xff\xd9")


class Handle:
    """A file descriptor on a node. Non-blocking unless asked otherwise."""

    def __init__(self, node: Path | None, *, blocking: bool = False) -> None:
        self.fd = -1
        if node is not None:
            self.fd = os.open(node, os.O_RDWR | (0 if blocking else os.O_NONBLOCK))
        self.maps: list[mmap.mmap] = []

    @classmethod
    def adopt(cls, fd: int, count: int) -> Handle:
        """Take over a descriptor that streams already, with `count` buffers."""
        handle = cls(None)
        handle.fd = fd
        handle.map(count)
        return handle

    def __enter__(self) -> Handle:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unmap and close; the kernel does the rest."""
        for one in self.maps:
            one.close()
        self.maps.clear()
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def ioctl(self, name: str, argument: ctypes.Structure | ctypes.c_int) -> None:
        """Call VIDIOC_`name`; `argument` is changed in place. Raises OSError."""
        fcntl.ioctl(self.fd, raw.IOC[name.partition("(")[0]], argument)

    def attempt(self, name: str) -> str:
        """Call VIDIOC_`name` with a plausible argument; return "ok" or the errno's name."""
        try:
            self.ioctl(name, _PLAUSIBLE[name]())
        except OSError as error:
            return outcome_of(error)
        return OK

    def set_format(self, fourcc: str, width: int, height: int) -> tuple[str, int, int]:
        """S_FMT; return what was granted."""
        argument = format_of(fourcc, width, height)
        self.ioctl("S_FMT", argument)
        pixels = argument.fmt.pix
        return pixels.pixelformat.to_bytes(4, "little").decode(), pixels.width, pixels.height

    def set_rate(self, fps: int) -> float:
        """S_PARM; return the granted frames a second."""
        argument = interval_of(fps)
        self.ioctl("S_PARM", argument)
        return rate_of(argument)

    def rate(self) -> float:
        """G_PARM: frames a second."""
        argument = raw.v4l2_streamparm(type=CAPTURE)
        self.ioctl("G_PARM", argument)
        return rate_of(argument)

    def request(self, count: int) -> int:
        """REQBUFS; return the granted number of buffers. Does not map them."""
        argument = raw.v4l2_requestbuffers(count=count, type=CAPTURE, memory=MMAP)
        self.ioctl("REQBUFS", argument)
        return int(argument.count)

    def map(self, count: int) -> None:
        """QUERYBUF and mmap buffers 0 to `count` - 1."""
        for index in range(count):
            buffer = buffer_of(index)
            self.ioctl("QUERYBUF", buffer)
            self.maps.append(mmap.mmap(self.fd, buffer.length, offset=buffer.m.offset))

    def queue(self, index: int) -> None:
        """QBUF."""
        self.ioctl("QBUF", buffer_of(index))

    def start(self, count: int = 4) -> None:
        """Request, map and queue buffers, and STREAMON."""
        self.map(self.request(count))
        self.restart()

    def stop(self) -> None:
        """STREAMOFF; the buffers are kept."""
        self.ioctl("STREAMOFF", ctypes.c_int(CAPTURE))

    def restart(self) -> None:
        """Queue every buffer, as after `stop`, and STREAMON."""
        for index in range(len(self.maps)):
            self.queue(index)
        self.stream_on()

    def stream_on(self) -> None:
        """STREAMON alone."""
        self.ioctl("STREAMON", ctypes.c_int(CAPTURE))

    def poll(self, timeout_s: float) -> int:
        """Return poll's events (0: none in time)."""
        poller = select.poll()
        poller.register(self.fd, select.POLLIN | select.POLLPRI)
        found = poller.poll(timeout_s * 1000)
        return found[0][1] if found else 0

    def dequeue(self, timeout_s: float = 20.0) -> Dequeued:
        """Wait for a buffer, take its bytes and queue it again. Raises OSError, TimeoutError."""
        if not self.poll(timeout_s):
            raise TimeoutError(f"no frame within {timeout_s} s")
        buffer = buffer_of()
        self.ioctl("DQBUF", buffer)
        taken = Dequeued(
            buffer.sequence,
            self.maps[buffer.index][: buffer.bytesused],
            bool(buffer.flags & raw.BufferFlag.ERROR),
            buffer.timestamp.secs + buffer.timestamp.usecs / 1e6,
        )
        self.queue(buffer.index)
        return taken


def buffer_of(index: int = 0) -> raw.v4l2_buffer:
    """Return the argument of QUERYBUF, QBUF and DQBUF."""
    return raw.v4l2_buffer(type=CAPTURE, memory=MMAP, index=index)


def format_of(fourcc: str, width: int, height: int) -> raw.v4l2_format:
    """Return S_FMT's argument."""
    argument = raw.v4l2_format(type=CAPTURE)
    argument.fmt.pix.pixelformat = int.from_bytes(fourcc.encode(), "little")
    argument.fmt.pix.width, argument.fmt.pix.height = width, height
    return argument


def interval_of(fps: int) -> raw.v4l2_streamparm:
    """Return S_PARM's argument."""
    argument = raw.v4l2_streamparm(type=CAPTURE)
    argument.parm.capture.timeperframe.numerator = 1
    argument.parm.capture.timeperframe.denominator = fps
    return argument


def rate_of(argument: raw.v4l2_streamparm) -> float:
    """Return the frames a second of S_PARM's or G_PARM's answer."""
    fraction = argument.parm.capture.timeperframe
    return float(fraction.denominator / fraction.numerator)


_PLAUSIBLE: dict[str, Callable[[], ctypes.Structure | ctypes.c_int]] = {
    "QUERYCAP": raw.v4l2_capability,
    "ENUM_FMT": lambda: raw.v4l2_fmtdesc(type=CAPTURE),
    "G_FMT": lambda: raw.v4l2_format(type=CAPTURE),
    "S_FMT": lambda: format_of("MJPG", 640, 480),
    "TRY_FMT": lambda: format_of("MJPG", 640, 480),
    "G_PARM": lambda: raw.v4l2_streamparm(type=CAPTURE),
    "S_PARM": lambda: interval_of(15),
    "REQBUFS": lambda: raw.v4l2_requestbuffers(count=4, type=CAPTURE, memory=MMAP),
    "REQBUFS(0)": lambda: raw.v4l2_requestbuffers(count=0, type=CAPTURE, memory=MMAP),
    "QUERYBUF": buffer_of,
    "QBUF": buffer_of,
    "DQBUF": buffer_of,
    "STREAMON": lambda: ctypes.c_int(CAPTURE),
    "STREAMOFF": lambda: ctypes.c_int(CAPTURE),
    "G_CTRL": lambda: raw.v4l2_control(id=BRIGHTNESS),
    "S_CTRL": lambda: raw.v4l2_control(id=BRIGHTNESS, value=7),
    "S_PRIORITY(RECORD)": lambda: ctypes.c_int(raw.Priority.RECORD),
}
"""What `attempt` calls an ioctl with."""
