"""What the steps of a case act on: the camera in its port, the processes, viewers and rivals.

It does what it is told and judges nothing; measure.py decides what is done when.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from pathlib import Path

from framebus.names import SHARED_MEMORY, CameraNames

from tests.guest.camera.client import Bench, BenchError, PluggedCamera, wait_for
from tests.guest.recovery import leftovers, rows, steps
from tests.guest.recovery.cases import Fault
from tests.guest.recovery.commands import Commands
from tests.guest.recovery.observer import Observer
from tests.guest.recovery.rivals import Rivals
from tests.guest.recovery.stack import PORT, Processes
from tests.guest.recovery.steps import Step
from tests.guest.recovery.viewers import Audience

SERIAL = "FB0042"
VIEWERS = 3
_NAME = "camera"
_DRIVER = Path("/sys/bus/usb/drivers/uvcvideo")
_READY_S = 120.0


class Stage:
    """Everything in the guest that a case needs. Main thread only."""

    def __init__(self, names: CameraNames, log: Path) -> None:
        self.names = names
        self.log = log
        self.bench = Bench()
        self.rivals = Rivals()
        self.observer = Observer(names)
        self.audience = Audience(PORT)
        self.camera: PluggedCamera | None = None
        self.processes: Processes | None = None
        self.left: list[str] = []
        """What was left of processes that were ended, in words."""
        self._fault: Fault | None = None
        self.daemon = Commands(names)
        self._kept_open = -1
        self.observer.start()
        self.audience.start()

    # -- before and after a case ---------------------------------------------------------------

    def prepare(self, fault: Fault) -> None:
        """Have frames from the right camera through the right processes, and viewers on them.

        Raises TimeoutError when that cannot be had.
        """
        known = self._fault
        if known and (known.stack, known.camera) != (fault.stack, fault.camera):
            self.tear_down()
        self._fault = fault
        if self.camera is not None and not self.camera.device.exists():
            self._pull()
        if self.camera is None:
            self.camera = self.bench.plug(_NAME, fault.camera, serial=SERIAL)
        self.camera.clear()
        running = self.processes is not None
        if self.processes is None:
            source = f"v4l2:usb:1209:0001:{SERIAL}"
            self.processes = Processes(fault, names=self.names, source=source, log=self.log)
        wait_for(self._watched, f"{VIEWERS} viewers", _READY_S)
        wait_for(self.processes.answers, "the keeper's web tier", _READY_S)
        if running:
            if fault.fresh or (known and known.fresh):
                self._renew()
            # By a person's hand: what the case before made the daemon try is forgotten.
            self.daemon.restart()
        self._until_frames()

    def _renew(self) -> None:
        """Have another daemon: it has spent nothing of a budget, and remembers nothing."""
        processes = self.processes
        assert processes is not None
        before = processes.daemon()
        self.daemon.call("renew")
        wait_for(lambda: processes.daemon() not in (0, before), "another daemon", _READY_S)

    def _watched(self) -> bool:
        try:
            self.audience.connect(VIEWERS)
        except OSError:
            time.sleep(0.5)
        return len(self.audience.viewers) == VIEWERS and not self.audience.gone()

    def _until_frames(self) -> None:
        assert self._fault is not None
        fps = self._fault.fps
        since_ns = time.monotonic_ns()

        def settled() -> bool:
            time.sleep(0.1)
            row = rows.last_row(self.observer.frames(), after_ns=since_ns, fps=fps)
            return bool(row and row.tenth_ns) and self.daemon.status().get("state") == "streaming"

        wait_for(settled, "ten frames before the case", _READY_S)

    def unmet(self) -> list[str]:
        """Return the camera's faults that were armed for some occasions and met none of them."""
        if self._fault is None or self.camera is None or _NAME not in self.bench.plugged:
            return []
        left = self.camera.state()["faults"]
        armed = [step for step in self._fault.inject if isinstance(step, steps.Arm)]
        return [
            step.fault for step in armed if step.count > 0 and left.get(step.fault) == step.count
        ]

    def tidy(self) -> None:
        """Take back what a case left of itself: faults, rivals, calls, an open node."""
        self.rivals.end()
        self.daemon.forget()
        if self._kept_open >= 0:
            os.close(self._kept_open)
            self._kept_open = -1
        if self.camera is not None and _NAME in self.bench.plugged:
            self.camera.clear()

    def tear_down(self) -> None:
        """End the processes and pull the camera out; what is left goes to `left`."""
        if self.processes is not None:
            self.left += self.processes.end()
            self.processes = None
            self.left += leftovers.left(Counter(), self.count())
            for path in self.names.runtime.glob("*"):
                path.unlink()  # it is told; the next processes begin in an empty directory
        self._pull()
        self._fault = None

    def _pull(self) -> None:
        if self.camera is not None:
            with contextlib.suppress(BenchError):
                self.camera.unplug()
            self.camera = None

    def close(self) -> None:
        """End everything."""
        self.tidy()
        self.tear_down()
        self.rivals.close()
        self.audience.close()
        self.observer.close()
        self.bench.close()
        self.daemon.close()

    def count(self) -> Counter[str]:
        """Count what lies about; see leftovers.py."""
        return leftovers.count(
            roles=self.processes.roles() if self.processes else {},
            node=self.camera.node() if self.camera else None,
            runtime=self.names.runtime,
            segments=SHARED_MEMORY,
        )

    # -- steps ---------------------------------------------------------------------------------

    def act(self, step: Step) -> None:
        """Do one step of a case. Raises OSError, TimeoutError or RuntimeError."""
        camera, processes = self.camera, self.processes
        assert camera is not None
        assert processes is not None
        match step:
            case steps.Arm(fault, count):
                camera.arm(fault, count)
            case steps.Clear():
                camera.clear()
            case steps.Unplug():
                camera.unplug()
            case steps.Plug(other_port):
                self._plug(camera, other_port=other_port)
            case steps.KeepNodeOpen():
                self._kept_open = os.open(camera.wait_node(), os.O_RDWR | os.O_NONBLOCK)
            case steps.Rival():
                self.rivals.start(camera.wait_node(), step)
            case steps.EndRival(wait):
                self._end_rival(wait=wait)
            case steps.Kill(whom):
                processes.kill(whom)
            case steps.StartDaemons(count):
                for _ in range(count):
                    processes.start_daemon()
            case steps.StartKeeper():
                processes.start_keeper()
            case steps.Call(method, params, until_taken=True):
                self.daemon.insist(method, dict(params))
            case steps.Call(method, params, times):
                self.daemon.send(method, dict(params), times)
            case steps.Write(file, text):
                self._write(camera, file, text)

    def _write(self, camera: PluggedCamera, file: str, text: str) -> None:
        interface = f"{camera.device.name}:1.0"
        if file == "bind" and (_DRIVER / interface).exists():
            return  # framebus was faster
        folder = _DRIVER if file in ("unbind", "bind") else camera.device
        (folder / file).write_text(text or interface)

    def _plug(self, camera: PluggedCamera, *, other_port: bool) -> None:
        assert self._fault is not None
        port = (camera.port + 1) % 4 if other_port else camera.port
        self.camera = self.bench.attach(_NAME, self._fault.camera, serial=SERIAL, port=port)
        self.camera.wait_node()

    def _end_rival(self, *, wait: bool) -> None:
        if not self.rivals.wait_taken(10.0):
            raise TimeoutError("the rival never had the camera")
        if wait and not self.rivals.wait_end(60.0):
            raise TimeoutError("the rival does not end by itself")
        self.rivals.end()
