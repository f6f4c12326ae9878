"""framebus as a user runs it: `framebus up`, and all that it starts."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from framebus.names import CameraNames
from framebus.ring import leftovers

from benchmarks import cpu
from benchmarks.client import Stamp
from benchmarks.handed import Handed
from benchmarks.program import Program
from benchmarks.task import Task, free_port, wait_for


class FramebusUp:
    """`framebus up` with its defaults, the camera and the port apart, and what is said else."""

    path = "/stream"
    stamp = Stamp()

    def __init__(self, task: Task, *more: str) -> None:
        """Start it and wait until a snapshot can be had. Raises BenchError if it never can."""
        self.port = free_port()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fb-")))
            stack.callback(leftovers.remove, CameraNames(folder / "run"))
            device = folder / "video"
            camera = ["--source", f"v4l2:{device}", "--size", str(task.size)]
            bind = ["--fps", str(task.fps), "--bind", f"127.0.0.1:{self.port}"]
            self._program = stack.enter_context(
                Program(
                    [sys.executable, "-m", "framebus", "up", *camera, *bind, *more],
                    cores=task.cores,
                    environ={
                        **task.camera(device),
                        "FRAMEBUS_RUNTIME_DIR": str(folder / "run"),
                        "FRAMEBUS_STATE_DIR": str(folder / "state"),
                        "TMPDIR": str(folder),  # its keeper's socket; it may have to be killed
                        "PYTHONDONTWRITEBYTECODE": "",  # modules come from .pyc files, as a user's
                    },
                )
            )
            wait_for(self.port, "/snapshot", (self._program,))
            self._stack = stack.pop_all()

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        return self._program.pid

    def capturing(self) -> frozenset[int]:
        """Return the capture daemon."""
        return self._started_as("capture_daemon")

    def serving(self) -> frozenset[int]:
        """Return gunicorn's master and workers."""
        return self._started_as("web_workers")

    def rest(self) -> frozenset[int]:
        """Return what is neither: the supervisor, and whatever else it has started."""
        return cpu.family(self.pid) - self.capturing() - self.serving()

    def handed(self) -> Handed:
        """Return what its workers have handed to viewers up to now."""
        return Handed.read(self.port)

    def close(self) -> None:
        """End it and remove its directories."""
        self._stack.close()

    def _started_as(self, package: str) -> frozenset[int]:
        """Return its processes that run a module of `package`, and what they have started."""
        return frozenset(
            descendant
            for pid in cpu.family(self.pid)
            if package in _packages(pid)
            for descendant in cpu.family(pid)
        )


def _packages(pid: int) -> frozenset[str]:
    """Return the first part of each dotted word of a process's command."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return frozenset(word.partition(".")[0] for word in words)
