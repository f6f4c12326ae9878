"""An executor of rungs over a sysfs of ordinary files, and what tests see of what it did."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from framebus.contract.words import Rung

from capture_daemon.devices.sysfs import UsbPort
from capture_daemon.recovery.actions import PortActions, RungFailed
from capture_daemon.recovery.executor import Executor
from capture_daemon.recovery.holding import Holding
from capture_daemon.sources.base import Captured, Granted, Interrupt, SourceError
from tests.fakes.usb_tree import RDEV, UsbTree

ON_THE_PORT = (Rung.REBIND, Rung.USB_RESET, Rung.REAUTHORIZE)


class CameraSource:
    """A source with a device, there or not."""

    def __init__(self, node: Path) -> None:
        self.path = node
        self.there = True
        self.forgot = 0
        self.name = ""
        self.port: UsbPort | None = None

    @property
    def rdev(self) -> int:
        return RDEV if self.node else 0

    @property
    def node(self) -> str:
        if not self.there:
            raise SourceError("device-absent", "gone")
        return str(self.path)

    def forget_refusals(self) -> None:
        self.forgot += 1

    def open(self) -> Granted:
        raise NotImplementedError

    def read(self, timeout_s: float) -> Captured | None:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


class Helper:
    """Takes notes, or refuses."""

    def __init__(self) -> None:
        self.there = False
        self.asked: list[tuple[Rung, str]] = []
        self.refuses = ""

    def usable(self) -> bool:
        return self.there

    def carry_out(self, rung: Rung, port: str) -> str:
        self.asked.append((rung, port))
        if self.refuses:
            raise RungFailed(self.refuses)
        return "the helper did it"


class Unprivileged(PortActions):
    """As an ordinary user: no file of the port may be written."""

    def permitted(self, rung: Rung, port: UsbPort) -> bool:
        return False


class Rig:
    def __init__(self, root: Path, runtime: Path) -> None:
        self.tree = UsbTree(root)
        self.helper = Helper()
        self.resets: list[int] = []
        self.pauses: list[float] = []
        self.connects: list[int] = []
        self.refuses_its_driver = False
        self.interrupt = Interrupt()
        node = root / "video0"
        node.write_text("")
        self.source = CameraSource(node)
        self.runtime = runtime

    def _connect(self, _descriptor: int, interface: int) -> None:
        self.connects.append(interface)
        if not self.refuses_its_driver:
            self.tree.drive(self.tree.port)

    def executor(
        self,
        *,
        root: bool = True,
        power_ports: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> Executor:
        kind = PortActions if root else Unprivileged
        executor = Executor(
            actions=kind(pause=self.pauses.append, reset=self.resets.append, connect=self._connect),
            helper=self.helper,
            holding=Holding(runtime=self.runtime, own_lock=self.runtime / "x", find=lambda _: ()),
            end_holders=False,
            power_ports=power_ports,
            paths=self.tree.paths,
            clock=clock,
        )
        executor.survey(self.source)
        return executor


def unavailable(executor: Executor, rig: Rig) -> dict[Rung, str]:
    return {each.rung: each.reason for each in executor.survey(rig.source)}
