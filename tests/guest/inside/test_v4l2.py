"""The contracts of the V4L2 session over the real uvcvideo driver; tests/contract has the fake."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_daemon.v4l2.ops import DeviceOps, KernelOps
from tests.contract.v4l2_fault_contract import FaultContract
from tests.contract.v4l2_rig import FOREVER, NOTHING, Rig
from tests.contract.v4l2_session_contract import SessionContract
from tests.contract.v4l2_transaction_contract import TransactionContract
from tests.guest.camera.client import Bench, PluggedCamera
from tests.guest.inside.conftest import Plug

KERNELS = ("stable", "newer")
pytestmark = pytest.mark.timeout(300)


class RealRig:
    """A camera of the bench, behind the real kernel."""

    def __init__(self, bench: Bench, plug: Plug, model: str) -> None:
        self._bench = bench
        self._model = model
        self._camera: PluggedCamera = plug(model)
        self._node = self._camera.wait_node()
        self._rdev = os.stat(self._node).st_rdev
        self._ops = KernelOps()

    @property
    def ops(self) -> DeviceOps:
        return self._ops

    @property
    def device(self) -> str:
        return str(self._node)

    def held(self) -> tuple[int, int]:
        descriptors = 0
        for number in os.listdir("/proc/self/fd"):
            try:
                descriptors += os.stat(f"/proc/self/fd/{number}").st_rdev == self._rdev
            except FileNotFoundError:  # the listing's own descriptor
                continue
        maps = Path("/proc/self/maps").read_text()
        return descriptors, sum("/dev/video" in line for line in maps.splitlines())

    def arm(self, fault: str, count: int = FOREVER) -> None:
        if count == FOREVER:
            self._camera.arm(fault)
        else:
            self._camera.arm(fault, count)

    def clear(self) -> None:
        self._camera.clear()

    def unplug(self) -> None:
        self._camera.unplug()

    def plug(self) -> None:
        self._camera = self._bench.plug(self._camera.name, self._model)
        self._node = self._camera.wait_node()
        self._rdev = os.stat(self._node).st_rdev


@pytest.fixture
def rig(bench: Bench, plug: Plug) -> Iterator[Rig]:
    rig = RealRig(bench, plug, "bulk")
    yield rig
    assert rig.held() == NOTHING


class TestSession(SessionContract):
    pass


class TestTransaction(TransactionContract):
    pass


class TestFaults(FaultContract):
    pass
