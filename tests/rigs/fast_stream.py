"""A camera, its source and the way into a ring, with the fast path and without."""

from __future__ import annotations

import os
from pathlib import Path

from linuxpy.video.raw import IOC

from capture_daemon.native import library
from capture_daemon.native.library import FastPath
from capture_daemon.sources.base import Captured, Interrupt, Request
from capture_daemon.v4l2.fake import FakeCamera, FakeKernel, FrameFault
from capture_daemon.v4l2.ops import Argument
from capture_daemon.v4l2.source import V4L2Source
from tests.fakes.ioctl_address import IoctlAddress
from tests.rigs.frame_path import FramePath
from tests.samples.small_jpeg import WHOLE


class Camera(FakeCamera):
    """All its pictures have one header."""

    def picture(self, fourcc: str, size: tuple[int, int], count: int) -> bytes:
        return WHOLE[:-2] + b"%6d" % count + WHOLE[-2:]


class Stage:
    """A camera, its source and the way into a ring; `returned` counts what Python was given."""

    def __init__(self, runtime: Path, *, fast: bool) -> None:
        self.camera = Camera()
        self.kernel = FakeKernel([self.camera], newer=True)
        self.interrupt = Interrupt()
        self._ioctl = IoctlAddress(self.ioctl)
        self.kernel.ioctl_address = self._ioctl.address
        self.source = V4L2Source(
            self.camera.path, Request(), self.interrupt, ops=self.kernel, resolve=str
        )
        tested = Path(os.environ.get("FAST_PATH_TESTED", library.PATH))
        self.path = FramePath(runtime, library.load(tested) if fast else None)
        self.publisher = self.path.publishers[0]
        self.subscriber = self.path.subscribe()
        self.heard: list[int] = []
        """Sequences that were told of."""
        self.returned = 0
        self.failures: list[OSError] = []
        self.publisher.begin(self.source.open())
        self.send(3)
        self.publisher.settled()
        self.returned = 0

    def ioctl(self, fd: int, request: IOC, argument: Argument) -> None:
        """What the fast path calls."""
        if self.failures:
            raise self.failures.pop(0)
        self.kernel.ioctl(fd, request, argument)

    @property
    def fast_path(self) -> FastPath | None:
        return self.publisher.fast_path

    def read(self, timeout_s: float = 0.0) -> Captured | None:
        if self.fast_path is None:
            return self.source.read(timeout_s)
        return self.source.read_unusual(self.fast_path, timeout_s)

    def drain(self) -> None:
        """Take what the camera has sent."""
        while (captured := self.read()) is not None:
            self.returned += 1
            self.publisher.take(captured)

    def send(self, count: int = 1, *faults: FrameFault) -> None:
        """Have the camera send, and take each."""
        self.camera.faults.extend(faults)
        for _ in range(count):
            self.kernel.deliver()
            self.drain()
            self.heard += self.path.announced(self.subscriber.heard())

    def published(self) -> list[tuple[bytes, int]]:
        """All that is in the ring: pictures and device sequences."""
        ring = self.path.reader
        frames = [ring.read(sequence) for sequence in range(1, ring.cursor + 1)]
        return [(frame.jpeg, frame.device_sequence) for frame in frames]

    def close(self) -> None:
        self.source.close()
        self.interrupt.close()
        self.path.close()
