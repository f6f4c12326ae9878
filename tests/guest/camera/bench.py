"""The process that holds the emulated cameras: one loop over their connections and its commands.

Runs in the guest as root: `python -m tests.guest.camera.bench CLIP_FOLDER`. Commands come as
lines of JSON on standard input, each is answered by one line on standard output; end of input
ends the process, and with it every camera (the kernel sees the cable cut).

    {"do": "plug", "camera": NAME, "model": MODEL, "serial": TEXT?, "port": N?}
                                        -> {"port": N}
    {"do": "unplug", "camera": NAME}    detach at the host controller
    {"do": "cut", "camera": NAME}       the connection is closed under the host
    {"do": "arm", "camera": NAME, "fault": FAULT, "count": N}
    {"do": "clear", "camera": NAME, "fault": FAULT or null}
    {"do": "state", "camera": NAME}     -> {"controls": {...}, "presses": N, "starts": N, ...}

An answer has the key "error" when the command failed.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.guest.camera import vhci
from tests.guest.camera.device import Camera
from tests.guest.camera.model import MODELS
from tests.guest.camera.usbip import HEADER_SIZE, Submit, parse, parse_packets

Message = dict[str, Any]


@dataclass
class _Plugged:
    camera: Camera
    port: vhci.Port


def _receive(connection: socket.socket, size: int) -> bytes:
    """Return exactly `size` bytes, fewer at the end of the connection."""
    return connection.recv(size, socket.MSG_WAITALL) if size else b""


class Bench:
    """The cameras by name, and the commands on them."""

    def __init__(self, clip: Path) -> None:
        self._clip = clip
        self._plugged: dict[str, _Plugged] = {}
        self._actions: dict[str, Callable[[Message], Message]] = {
            "plug": self._plug,
            "unplug": self._unplug,
            "cut": self._cut,
            "arm": self._arm,
            "clear": self._clear,
            "state": self._state,
        }

    def connections(self) -> dict[int, str]:
        """Return the cameras' names by the descriptor of their connection."""
        return {one.port.connection.fileno(): name for name, one in self._plugged.items()}

    def due_ns(self) -> int | None:
        """When `pump` is next wanted, monotonic nanoseconds."""
        times = [one.camera.due_ns for one in self._plugged.values()]
        return min((due for due in times if due is not None), default=None)

    def command(self, line: bytes) -> bytes:
        """Carry out one command; return its answer."""
        try:
            message: Message = json.loads(line)
            answer = self._actions[message["do"]](message)
        except (OSError, KeyError, ValueError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        return json.dumps(answer).encode() + b"\n"

    def pump(self) -> None:
        """Send what time brings."""
        now = time.monotonic_ns()
        for name, one in list(self._plugged.items()):
            self._send(name, one.camera.pump(now))

    def receive(self, name: str) -> None:
        """Take one command of the host for the camera `name`."""
        if name not in self._plugged:
            return
        one = self._plugged[name]
        header = _receive(one.port.connection, HEADER_SIZE)
        if len(header) < HEADER_SIZE:
            self._forget(name)
            return
        request = parse(header)
        data = packets = b""
        if isinstance(request, Submit):
            trailing = _receive(one.port.connection, request.trailing)
            split = len(trailing) - 16 * request.packets
            data, packets = trailing[:split], trailing[split:]
        now = time.monotonic_ns()
        self._send(name, one.camera.handle(request, data, parse_packets(packets), now))

    def _send(self, name: str, replies: list[bytes]) -> None:
        if not replies:
            return
        try:
            self._plugged[name].port.connection.sendall(b"".join(replies))
        except OSError:
            self._forget(name)

    def _forget(self, name: str) -> None:
        self._plugged.pop(name).port.connection.close()

    def _plug(self, message: Message) -> Message:
        name = message["camera"]
        if name in self._plugged:
            raise ValueError(f"{name} is plugged in already")
        model = MODELS[message["model"]]
        if message.get("serial"):
            model = replace(model, serial=message["serial"])
        camera = Camera(model, self._clip)
        for fault in message.get("faults", ()):
            camera.faults.arm(fault)
        port = vhci.attach(message.get("port"))
        self._plugged[name] = _Plugged(camera, port)
        return {"port": port.number}

    def _unplug(self, message: Message) -> Message:
        vhci.detach(self._plugged[message["camera"]].port.number)
        return {}

    def _cut(self, message: Message) -> Message:
        self._forget(message["camera"])
        return {}

    def _arm(self, message: Message) -> Message:
        self._plugged[message["camera"]].camera.faults.arm(message["fault"], message["count"])
        return {}

    def _clear(self, message: Message) -> Message:
        self._plugged[message["camera"]].camera.faults.clear(message["fault"])
        return {}

    def _state(self, message: Message) -> Message:
        camera = self._plugged[message["camera"]].camera
        return {
            "controls": camera.controls.values,
            "presses": camera.controls.presses,
            "starts": camera.starts,
            "configurations": camera.configurations,
            "faults": camera.faults.left(),
            "requests": camera.requests,
        }


def main() -> int:
    """Serve until standard input ends."""
    bench = Bench(Path(sys.argv[1]))
    commands = sys.stdin.fileno()
    unread = b""
    while True:
        poller = select.poll()
        connections = bench.connections()
        for fd in (commands, *connections):
            poller.register(fd, select.POLLIN)
        due = bench.due_ns()
        wait = None if due is None else max(0.0, (due - time.monotonic_ns()) / 1e6)
        for fd, _ in poller.poll(wait):
            if fd == commands:
                read = os.read(commands, 65536)
                if not read:
                    return 0
                *lines, unread = (unread + read).split(b"\n")
                for line in lines:
                    os.write(sys.stdout.fileno(), bench.command(line))
            elif bench.connections().get(fd) == connections[fd]:
                bench.receive(connections[fd])
        bench.pump()


if __name__ == "__main__":
    sys.exit(main())
