"""What the steps of a case act on: the camera in its port, the processes, viewers and rivals.

It does what it is told and judges nothing; measure.py decides what is done when.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zmq
from framebus.control import protocol
from framebus.control.client import ControlClient
from framebus.errors import CommandRefused, FramebusError
from framebus.names import SHARED_MEMORY, CameraNames, endpoint
from framebus.notify import own_context

from tests.guest.camera.client import Bench, BenchError, PluggedCamera, wait_for
from tests.guest.recovery import leftovers, rows, steps
from tests.guest.recovery.cases import Fault
from tests.guest.recovery.observer import Observer
from tests.guest.recovery.rivals import Rivals
from tests.guest.recovery.stack import PORT, Processes
from tests.guest.recovery.steps import Step
from tests.guest.recovery.viewers import Audience

SERIAL = "FB0042"
VIEWERS = 3
_NAME = "camera"
_DRIVER = Path("/sys/bus/usb/drivers/uvcvideo")
_ANSWER_S = 15.0
"""A control call takes so long at most, on a guest that is busy starting Python."""
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
        self._fault: Fault | None = None
        self._client = ControlClient(names, timeout_s=_ANSWER_S)
        self._context = own_context()
        self._calls: list[zmq.Socket[bytes]] = []
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
        if self.processes is None:
            source = f"v4l2:usb:1209:0001:{SERIAL}"
            self.processes = Processes(fault, names=self.names, source=source, log=self.log)
        self.camera.clear()
        wait_for(self._watched, f"{VIEWERS} viewers", _READY_S)
        self._until_frames()

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
            return row is not None and row.tenth_ns is not None

        wait_for(settled, "ten frames before the case", _READY_S)

    def tidy(self) -> None:
        """Take back what a case left of itself: faults, rivals, calls, an open node."""
        self.rivals.end()
        for socket in self._calls:
            socket.close()
        self._calls.clear()
        if self._kept_open >= 0:
            os.close(self._kept_open)
            self._kept_open = -1
        if self.camera is not None and _NAME in self.bench.plugged:
            self.camera.clear()

    def tear_down(self) -> list[str]:
        """End the processes and pull the camera out; return what is left of them, in words."""
        left: list[str] = []
        if self.processes is not None:
            left += self.processes.end()
            self.processes = None
            left += leftovers.left(Counter(), self.count())
        self._pull()
        self._fault = None
        return left

    def _pull(self) -> None:
        if self.camera is not None:
            with contextlib.suppress(BenchError):
                self.camera.unplug()
            self.camera = None

    def close(self) -> list[str]:
        """End everything; return what is left of the processes."""
        self.tidy()
        left = self.tear_down()
        self.rivals.close()
        self.audience.close()
        self.observer.close()
        self.bench.close()
        self._client.close()
        self._context.term()
        return left

    def count(self) -> Counter[str]:
        """Count what lies about; see leftovers.py."""
        return leftovers.count(
            roles=self.processes.roles() if self.processes else {},
            node=self.camera.node() if self.camera else None,
            runtime=self.names.runtime,
            segments=SHARED_MEMORY,
        )

    # -- talking to the daemon -----------------------------------------------------------------

    def call(self, method: str, params: Mapping[str, object] | None = None) -> Any:
        """Call the daemon; tries again while there is none. Raises TimeoutError, CommandRefused."""

        def answered() -> list[Any]:
            try:
                return [self._client.call(method, params)]
            except CommandRefused:
                raise
            except FramebusError:
                time.sleep(0.1)
                return []

        return wait_for(answered, f"an answer to {method}", _READY_S)[0]

    def status(self) -> dict[str, Any]:
        """Return the status document; {} without a daemon."""
        try:
            document = self._client.call("status")
        except FramebusError:
            return {}
        return document if isinstance(document, dict) else {}

    def incidents(self) -> list[dict[str, Any]]:
        """Return the incidents that the daemon tells of; none if it knows no such method."""
        try:
            answer = self._client.call("incidents")
        except FramebusError:
            return []
        if isinstance(answer, dict):
            answer = answer.get("incidents", [])
        return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []

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
            case steps.Call(method, params, times):
                self._send(method, dict(params), times)
            case steps.Write(file, text):
                folder = _DRIVER if file in ("unbind", "bind") else camera.device
                (folder / file).write_text(text or f"{camera.device.name}:1.0")

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

    def _send(self, method: str, params: Mapping[str, object], times: int) -> None:
        socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        socket.linger = 0
        socket.connect(endpoint(self.names.control_socket))
        self._calls.append(socket)
        for number in range(times):
            socket.send(protocol.Request(number, method, dict(params)).encode())

    def answers(self) -> list[str]:
        """Return how the calls of this case were answered so far: "ok", or the error's text."""
        found = []
        for socket in self._calls:
            while socket.poll(0):
                reply = protocol.parse_reply(socket.recv())
                found.append(reply.message if reply.code else "ok")
        return found
