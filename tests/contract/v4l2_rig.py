"""A camera that the V4L2 contracts run over, and the fake one. The real one is in tests/guest."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from capture_daemon.v4l2.fake import FakeCamera, FakeKernel, FrameFault
from capture_daemon.v4l2.ops import DeviceOps
from tests.fakes.faulty_ops import Fault, FaultyOps

FOREVER = 1_000_000
NOTHING = (0, 0)
"""What `held` answers when all is released."""


_CALLS = {
    "probe-refused": "S_FMT",
    "commit-refused": "STREAMON",
    "control-refused": "G_CTRL S_CTRL",
}


class Rig(Protocol):
    """A camera that sends frames by itself when it streams; faults are named as in tests/guest."""

    @property
    def ops(self) -> DeviceOps:
        """The kernel that the camera is behind."""

    @property
    def device(self) -> str:
        """The camera's node."""

    def held(self) -> tuple[int, int]:
        """How many descriptors and mappings of the device this process has."""

    def arm(self, fault: str, count: int = FOREVER) -> None:
        """Let a fault act on its next `count` occasions."""

    def clear(self) -> None:
        """Clear all faults."""

    def unplug(self) -> None:
        """Pull the camera out."""

    def plug(self) -> None:
        """Plug it in again, under whatever number."""


class FakeRig:
    """A camera in this process."""

    def __init__(self, *, newer: bool) -> None:
        self.camera = FakeCamera()
        self.kernel = FakeKernel([self.camera], newer=newer)
        self._faulty = FaultyOps(self.kernel)
        self._plugged = 1

    @property
    def ops(self) -> DeviceOps:
        return self._faulty

    @property
    def device(self) -> str:
        return self.camera.path

    def held(self) -> tuple[int, int]:
        maps = Path("/proc/self/maps").read_text()
        mappings = self.kernel.mappings()
        assert ("/memfd:fake-v4l2" in maps) == (mappings > 0)
        return self.kernel.descriptors(), mappings

    def arm(self, fault: str, count: int = FOREVER) -> None:
        if fault in _CALLS:
            for name in _CALLS[fault].split():
                first = self._faulty.calls.count(name) + 1
                self._faulty.faults.append(Fault(name, errno.EIO, first=first, times=count))
        elif fault == "urb-protocol":
            self.kernel.fail_urbs(self.device, count)
        elif fault == "silent":
            self.camera.silent = True
        else:
            self.camera.faults.extend([FrameFault(fault)] * count)

    def clear(self) -> None:
        self._faulty.faults.clear()
        self.camera.faults.clear()
        self.camera.silent = False

    def unplug(self) -> None:
        self.kernel.unplug(self.device)

    def plug(self) -> None:
        self.camera.path = f"/dev/video{self._plugged}"
        self._plugged += 1
        self.kernel.plug(self.camera)


@contextmanager
def fake_rig(*, newer: bool) -> Iterator[FakeRig]:
    """Bring up a fake camera that plays; fails the test that leaves something of it."""
    rig = FakeRig(newer=newer)
    with rig.kernel.playing(fps=100):
        yield rig
    assert rig.held() == NOTHING
