"""The emulated camera for a test inside the guest.

    with Bench() as bench:
        camera = bench.plug("front")          # the node exists and udev knows it
        camera.arm("truncated", 3)
        camera.unplug()

Needs root and the modules vhci_hcd and uvcvideo, which it loads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from tests.guest.camera.faults import FOREVER

CLIP_FOLDER = Path("/usr/share/framebus-guest/clip")
"""Where the guest has the pictures; the set-up puts them there."""
_BUS = Path("/sys/bus/usb/devices")
_UDEV = Path("/run/udev/data")
_UDEV_BUSY = Path("/run/udev/queue")
"""There while udev has events to work on."""
_TREE = Path(__file__).parents[3]

T = TypeVar("T")


class BenchError(Exception):
    """The bench refused a command."""


def wait_for(condition: Callable[[], T], what: str, limit_s: float = 30.0) -> T:
    """Return the first true value of `condition`. Raises TimeoutError after `limit_s` seconds."""
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {limit_s} s")
        time.sleep(0.01)
    return value


class PluggedCamera:
    """A camera in its port."""

    def __init__(self, bench: Bench, name: str, port: int) -> None:
        self._bench = bench
        self.name = name
        self.port = port
        """Of the virtual host controller, from 0."""
        self.device = _BUS / f"1-{port + 1}"
        """The USB device in sysfs; there while it is plugged in and has been enumerated."""

    def node(self) -> Path | None:
        """Return the capture node, as soon as udev has made its links; None if there is none."""
        for found in self.device.glob("*/video4linux/video*"):
            try:
                # Index 1 is the node for metadata.
                if (found / "index").read_text().strip() != "0":
                    continue
                numbers = (found / "dev").read_text().strip()
            except FileNotFoundError:
                continue
            node = Path("/dev") / found.name
            if node.exists() and (_UDEV / f"c{numbers}").exists():
                return node
        return None

    def wait_node(self, limit_s: float = 30.0) -> Path:
        """Return the capture node. Raises TimeoutError when none appears."""
        return wait_for(self.node, f"the node of {self.name}", limit_s)  # type: ignore[return-value]

    def gone(self) -> bool:
        """Tell whether the kernel has let go of the device, and udev of its links."""
        return not self.device.exists() and not _UDEV_BUSY.exists()

    def do(self, command: str, **more: Any) -> dict[str, Any]:
        """Send a command about this camera; see bench.py. Raises BenchError."""
        return self._bench.do(command, camera=self.name, **more)

    def arm(self, fault: str, count: int = FOREVER) -> None:
        """Let `fault` act on its next `count` occasions."""
        self.do("arm", fault=fault, count=count)

    def clear(self, fault: str | None = None) -> None:
        """Clear one fault, or all."""
        self.do("clear", fault=fault)

    def state(self) -> dict[str, Any]:
        """Return what the camera knows of itself: controls, presses, starts, requests."""
        return self.do("state")

    def unplug(self) -> None:
        """Pull the camera out and wait until kernel and udev have noticed."""
        self.do("unplug")
        wait_for(self.gone, f"{self.name} to go")


class Bench:
    """The process that holds the cameras."""

    def __init__(self) -> None:
        self.plugged: set[str] = set()
        """The names of the cameras that are plugged in."""
        subprocess.run(["modprobe", "-a", "vhci_hcd", "uvcvideo"], check=True)
        command = [sys.executable, "-m", "tests.guest.camera.bench", str(CLIP_FOLDER)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(_TREE)},
        )

    def do(self, command: str, **more: Any) -> dict[str, Any]:
        """Send one command; return its answer. Raises BenchError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": command, **more}).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BenchError("the bench has died")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise BenchError(answer["error"])
        if command == "plug":
            self.plugged.add(more["camera"])
        elif command in ("unplug", "cut"):
            self.plugged.discard(more["camera"])
        return answer

    def attach(
        self,
        name: str,
        model: str = "bulk",
        *,
        serial: str | None = None,
        faults: Sequence[str] = (),
        port: int | None = None,
    ) -> PluggedCamera:
        """Plug in a camera, its `faults` armed for good, and do not wait for the kernel.

        It goes into `port`, else into the first free one.
        """
        answer = self.do(
            "plug", camera=name, model=model, serial=serial, faults=list(faults), port=port
        )
        return PluggedCamera(self, name, answer["port"])

    def plug(self, name: str, model: str = "bulk", *, serial: str | None = None) -> PluggedCamera:
        """Plug in a camera and wait for its node."""
        camera = self.attach(name, model, serial=serial)
        camera.wait_node()
        return camera

    def close(self) -> None:
        """End the process and every camera."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()
