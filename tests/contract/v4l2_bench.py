"""The cameras that the V4L2 contract runs over: the fake as two kernels behave, and a real one.

The real one is the node that FRAMEBUS_TEST_DEVICE names, as the guest sets it up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from capture_daemon.v4l2.fake import FakeCamera, FakeKernel
from capture_daemon.v4l2.ops import DeviceOps, KernelOps

REAL_DEVICE = os.environ.get("FRAMEBUS_TEST_DEVICE", "")
NAMES = ["fake 6.1", "fake 7.2", *(["real"] if REAL_DEVICE else [])]


class Bench(Protocol):
    """A camera that sends frames by itself when it streams."""

    device: str

    @property
    def ops(self) -> DeviceOps:
        """The kernel that it is behind."""

    def held(self) -> tuple[int, int]:
        """How many descriptors and mappings of the device this process has."""


class FakeBench:
    """A camera in this process."""

    def __init__(self, *, newer: bool) -> None:
        self.camera = FakeCamera()
        self.ops = FakeKernel([self.camera], first_s_fmt_owns=not newer, nodrop=newer)
        self.device = self.camera.path

    def held(self) -> tuple[int, int]:
        maps = Path("/proc/self/maps").read_text()
        mapped = sum("memfd:fake-v4l2" in line for line in maps.splitlines())
        assert mapped == self.ops.mappings()
        return self.ops.descriptors(), mapped


class RealBench:
    """A camera behind the real kernel."""

    def __init__(self) -> None:
        self.ops = KernelOps()
        self.device = REAL_DEVICE

    def held(self) -> tuple[int, int]:
        rdev = os.stat(self.device).st_rdev
        descriptors = 0
        for number in os.listdir("/proc/self/fd"):
            try:
                descriptors += os.stat(f"/proc/self/fd/{number}").st_rdev == rdev
            except FileNotFoundError:  # the listing's own descriptor
                continue
        maps = Path("/proc/self/maps").read_text()
        return descriptors, sum(line.endswith(self.device) for line in maps.splitlines())


@contextmanager
def bench_called(name: str) -> Iterator[Bench]:
    """Bring up the camera of NAMES."""
    if name == "real":
        yield RealBench()
        return
    bench = FakeBench(newer=name == "fake 7.2")
    with bench.ops.playing(fps=100):
        yield bench
