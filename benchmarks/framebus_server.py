"""framebus as it is measured: its daemon alone, or with the web tier."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, cast

from framebus.control.client import ControlClient
from framebus.errors import FramebusError
from framebus.names import CameraNames
from framebus.reader import FrameReader
from framebus.ring import leftovers

from benchmarks import cpu
from benchmarks.client import Stamp
from benchmarks.errors import BenchError
from benchmarks.handed import Handed
from benchmarks.program import Program
from benchmarks.task import Task, free_port, wait_for

_FIRST_FRAME_S = 20.0


class Daemon:
    """framebus's capture daemon, in a runtime directory of its own."""

    def __init__(self, task: Task, source: Sequence[str] = ()) -> None:
        """Start it; it may not have a frame yet.

        `source` are its options in place of the stand-in camera's.
        """
        with ExitStack() as stack:
            self.runtime = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fb-")))
            """Its runtime directory."""
            # It is SIGKILLed when it does not end in time, and cannot unlink its segment then.
            stack.callback(leftovers.remove, CameraNames(self.runtime))
            device = self.runtime / "video"
            camera = ["--source", f"v4l2:{device}", "--size", str(task.size)]
            camera += ["--fps", str(task.fps)]
            self.program = stack.enter_context(
                Program(
                    [sys.executable, "-m", "capture_daemon", *(source or camera)],
                    cores=task.cores,
                    environ={**task.camera(device), "FRAMEBUS_RUNTIME_DIR": str(self.runtime)},
                )
            )
            self._stack = stack.pop_all()

    def wait(self) -> None:
        """Return when there is a frame. Raises BenchError if none comes."""
        try:
            with FrameReader(runtime=self.runtime) as reader:
                reader.next(timeout_s=_FIRST_FRAME_S)
        except FramebusError as error:
            raise BenchError(f"no frame of the daemon: {error}") from error

    def frames(self) -> dict[str, Any]:
        """Return what it has counted of its frames. Raises BenchError when it does not tell."""
        try:
            with ControlClient(CameraNames(self.runtime)) as control:
                status = cast("dict[str, Any]", control.call("status"))
        except FramebusError as error:
            raise BenchError(f"the daemon does not tell its state: {error}") from error
        return cast("dict[str, Any]", status["frames"])

    def close(self) -> None:
        """End it and remove the runtime directory."""
        self._stack.close()


class Framebus:
    """The capture daemon, and gunicorn with one worker or more."""

    path = "/stream"
    stamp = Stamp()

    def __init__(self, task: Task, *, workers: int = 1) -> None:
        """Start both and wait until a snapshot can be had. Raises BenchError if it never can."""
        self.port = free_port()
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
            wait_for(self.port, "/snapshot", (self.daemon.program, self._web))
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

    def handed(self) -> Handed:
        """Return what its workers have handed to viewers up to now."""
        return Handed.read(self.port)

    def close(self) -> None:
        """End both and remove the runtime directory."""
        self._stack.close()
