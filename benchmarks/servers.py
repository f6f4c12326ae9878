"""The servers that are measured. Each serves one clip at one rate on a port of its own.

framebus and ustreamer both read the clip from what they take for a camera (v4l2_shim.c). All of a
server's processes share the cores of its task. Who is measured besides framebus and the floor is
decided by what is installed: `peers` says of each other one whether it can be, and if not, why.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Collection, Iterable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from framebus.names import CameraNames

from benchmarks import cpu, tools
from benchmarks.client import Stamp
from benchmarks.errors import BenchError
from benchmarks.figures import FLOOR, FRAMEBUS
from benchmarks.program import Program

_START_S = 20.0
_POLL_S = 0.05
USTREAMER = "ustreamer"


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


class Server(Protocol):
    """A running server."""

    port: int
    path: str
    """Of its stream."""
    stamp: Stamp

    def serving(self) -> frozenset[int]:
        """Return the process ids of what serves viewers."""

    def capturing(self) -> frozenset[int]:
        """Return the process ids of a separate capture daemon."""

    def close(self) -> None:
        """End it, and leave nothing behind."""


class Daemon:
    """framebus's capture daemon, in a runtime directory of its own."""

    def __init__(self, task: Task) -> None:
        """Start it; it may not have a frame yet."""
        with ExitStack() as stack:
            self.runtime = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fb-")))
            """Its runtime directory."""
            # It is SIGKILLed when it does not end in time, and cannot unlink its segment then.
            stack.callback(CameraNames(self.runtime).segment_path.unlink, missing_ok=True)
            device = self.runtime / "video"
            camera = ["--source", f"v4l2:{device}", "--size", str(task.size)]
            self.program = stack.enter_context(
                Program(
                    [sys.executable, "-m", "capture_daemon", *camera, "--fps", str(task.fps)],
                    cores=task.cores,
                    environ={**task.camera(device), "FRAMEBUS_RUNTIME_DIR": str(self.runtime)},
                )
            )
            self._stack = stack.pop_all()

    def close(self) -> None:
        """End it and remove the runtime directory."""
        self._stack.close()


class Framebus:
    """The capture daemon, and gunicorn with one worker or more."""

    path = "/stream"
    stamp = Stamp()

    def __init__(self, task: Task, *, workers: int = 1) -> None:
        """Start both and wait until a snapshot can be had. Raises BenchError if it never can."""
        self.port = _free_port()
        with ExitStack() as stack:
            self.daemon = stack.enter_context(closing(Daemon(task)))
            """What captures."""
            web = ["--bind", f"127.0.0.1:{self.port}", "--workers", str(workers)]
            self._web = stack.enter_context(
                Program(
                    [sys.executable, "-m", "web_workers", *web],
                    cores=task.cores,
                    environ={"FRAMEBUS_RUNTIME_DIR": str(self.daemon.runtime)},
                )
            )
            _wait(self.port, "/snapshot", (self.daemon.program, self._web))
            self._stack = stack.pop_all()

    def serving(self) -> frozenset[int]:
        """Return gunicorn's arbiter and workers."""
        return cpu.family(self._web.pid)

    def workers(self) -> frozenset[int]:
        """Return the workers alone."""
        return self.serving() - {self._web.pid}

    def capturing(self) -> frozenset[int]:
        """Return the daemon, and whatever it has spawned."""
        return cpu.family(self.daemon.program.pid)

    def close(self) -> None:
        """End both and remove the runtime directory."""
        self._stack.close()


class Floor:
    """A bare loop of send() over the same bytes (floor.c)."""

    path = "/"
    stamp = Stamp()

    def __init__(self, task: Task) -> None:
        """Start it and wait until it listens."""
        self.port = _free_port()
        with ExitStack() as stack:
            binary = tools.program("floor", task.tools)
            self._program = stack.enter_context(
                Program([binary, str(self.port), str(task.fps), task.clip], cores=task.cores)
            )
            _wait(self.port, None, (self._program,))
            self._stack = stack.pop_all()

    def serving(self) -> frozenset[int]:
        """Return its one process."""
        return frozenset((self._program.pid,))

    def capturing(self) -> frozenset[int]:
        """Return nothing: it has no daemon."""
        return frozenset()

    def close(self) -> None:
        """End it."""
        self._stack.close()


class Ustreamer:
    """Debian's ustreamer, which thinks that it reads a camera (v4l2_shim.c). MJPEG as it comes."""

    path = "/stream?extra_headers=1"
    # Its X-Timestamp is the time of sending; this one is taken when the frame is dequeued.
    stamp = Stamp("X-UStreamer-Grab-Time", "monotonic-raw")

    def __init__(self, task: Task) -> None:
        """Start it and wait until a snapshot can be had. Raises BenchError if it never can."""
        self.port = _free_port()
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fb-")))
            device = directory / "video"
            camera = ["-d", str(device), "-m", "MJPEG", "-r", str(task.size), "-c", "HW"]
            bind = ["--host", "127.0.0.1", "-p", str(self.port)]
            self._program = stack.enter_context(
                Program([USTREAMER, *camera, *bind], cores=task.cores, environ=task.camera(device))
            )
            _wait(self.port, "/snapshot", (self._program,))
            self._stack = stack.pop_all()

    def serving(self) -> frozenset[int]:
        """Return its one process, capturing threads and all."""
        return frozenset((self._program.pid,))

    def capturing(self) -> frozenset[int]:
        """Return nothing: it captures in the process that serves."""
        return frozenset()

    def close(self) -> None:
        """End it."""
        self._stack.close()


_SERVERS: dict[str, type[Framebus] | type[Floor] | type[Ustreamer]] = {
    FRAMEBUS: Framebus,
    FLOOR: Floor,
    USTREAMER: Ustreamer,
}
NAMES = tuple(_SERVERS)


def start(name: str, task: Task) -> Server:
    """Start a server by its name. Raises BenchError when it does not come up."""
    return _SERVERS[name](task)


def missing(name: str) -> str:
    """Return why a server cannot be measured here and what would help; empty if it can."""
    if name == USTREAMER and not shutil.which(USTREAMER):
        return "ustreamer is not installed (apt install ustreamer)"
    if name != FRAMEBUS and not shutil.which("cc"):
        return f"{name} needs a C compiler (apt install gcc libc6-dev)"
    return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(port: int, path: str | None, programs: Iterable[Program]) -> None:
    """Return when `path` is answered with 200; without a path, when the port is open."""
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
