"""What a server is to serve, and how one is told to be up."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import tools
from benchmarks.errors import BenchError
from benchmarks.program import Program

_START_S = 20.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Task:
    """What to serve, and where on the machine."""

    clip: Path
    size: tools.Size
    fps: int
    cores: Collection[int]
    tools: Path
    """Where compiled programs are."""

    def camera(self, device: Path) -> dict[str, str]:
        """Return the environment in which `device`, made here, is a camera that gives the clip."""
        device.touch()
        return {
            "LD_PRELOAD": str(tools.library("v4l2_shim", self.tools)),
            "SHIM_DEVICE": str(device),
            "SHIM_CLIP": str(self.clip),
            "SHIM_FPS": str(self.fps),
            "SHIM_WIDTH": str(self.size.width),
            "SHIM_HEIGHT": str(self.size.height),
        }


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, path: str | None, programs: Iterable[Program]) -> None:
    """Return when `path` is answered with 200; without a path, when the port is open.

    Raises BenchError when a program ended, or after 20 s.
    """
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        for program in programs:
            program.check()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2.0)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.connect()
            if path is None:
                return
            connection.request("GET", path)
            with closing(connection.getresponse()) as answer:
                if answer.status == http.HTTPStatus.OK:
                    return
        time.sleep(_POLL_S)
    raise BenchError(f"no answer on port {port} within {_START_S:.0f} s: try it by hand")
