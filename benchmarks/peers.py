"""What framebus is measured beside: the floor, and other servers. Each is one process."""

from __future__ import annotations

import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import tools
from benchmarks.client import Stamp
from benchmarks.handed import Handed
from benchmarks.program import Program
from benchmarks.task import Task, free_port, wait_for

USTREAMER = "ustreamer"
MJPG_STREAMER = "mjpg_streamer"


class Peer(ABC):
    """One process that captures and serves."""

    path = "/"
    stamp = Stamp()
    ready: str | None = None
    """A path that is answered with 200 once it serves; None if an open port says it."""

    def __init__(self, task: Task) -> None:
        """Start it and wait until it serves. Raises BenchError if it never does."""
        self.port = free_port()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fb-")))
            arguments, environ = self._command(task, folder / "video")
            self._program = stack.enter_context(
                Program(arguments, cores=task.cores, environ=environ)
            )
            wait_for(self.port, self.ready, (self._program,))
            self._stack = stack.pop_all()

    @abstractmethod
    def _command(self, task: Task, device: Path) -> tuple[Sequence[str | Path], Mapping[str, str]]:
        """Return what to run, and what to add to its environment; `device` may be made."""

    def serving(self) -> frozenset[int]:
        """Return its one process, capturing and all."""
        return frozenset((self._program.pid,))

    def capturing(self) -> frozenset[int]:
        """Return nothing: it has no daemon."""
        return frozenset()

    def handed(self) -> Handed | None:
        """Return None: it does not tell."""
        return None

    def close(self) -> None:
        """End it."""
        self._stack.close()


class Floor(Peer):
    """A bare loop of send() over the same bytes (floor.c)."""

    def _command(self, task: Task, device: Path) -> tuple[Sequence[str | Path], Mapping[str, str]]:  # noqa: ARG002  it reads the clip itself
        return [tools.program("floor", task.tools), str(self.port), str(task.fps), task.clip], {}


class Ustreamer(Peer):
    """Debian's ustreamer. MJPEG as it comes from the camera."""

    path = "/stream?extra_headers=1"
    # Its X-Timestamp is the time of sending; this one is taken when the frame is dequeued.
    stamp = Stamp("X-UStreamer-Grab-Time", "monotonic-raw")
    ready = "/snapshot"

    def _command(self, task: Task, device: Path) -> tuple[Sequence[str | Path], Mapping[str, str]]:
        camera = ["-d", str(device), "-m", "MJPEG", "-r", str(task.size), "-c", "HW"]
        bind = ["--host", "127.0.0.1", "-p", str(self.port)]
        return [USTREAMER, *camera, *bind], task.camera(device)


class MjpgStreamer(Peer):
    """mjpg-streamer as its own `make install` leaves it."""

    path = "/?action=stream"
    stamp = Stamp("X-Timestamp", "monotonic")  # the driver's, of each buffer
    ready = "/?action=snapshot"

    def _command(self, task: Task, device: Path) -> tuple[Sequence[str | Path], Mapping[str, str]]:
        program = Path(shutil.which(MJPG_STREAMER) or MJPG_STREAMER)
        environ = {
            **task.camera(device),
            # It opens the first 14 characters of the name (input_uvc, init_videoIn).
            "SHIM_DEVICE": str(device.resolve())[:14],
            "LD_LIBRARY_PATH": str(program.parent.parent / "lib" / "mjpg-streamer"),
        }
        camera = f"input_uvc.so -d {device} -r {task.size} -f {task.fps} -n"
        serve = f"output_http.so -p {self.port} -l 127.0.0.1"
        return [program, "-i", camera, "-o", serve], environ
