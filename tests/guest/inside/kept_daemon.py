"""A capture daemon under a keeper, for a test: commanded, killed, and read frame by frame."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from framebus.control.client import ControlClient
from framebus.errors import FramebusError
from framebus.frame import Frame
from framebus.names import CameraNames
from framebus.reader import FrameReader

from tests.guest.camera.client import PluggedCamera, wait_for

_TREE = Path(__file__).parents[3]
LIMIT_S = 60.0


class KeptDaemon:
    """A daemon under a keeper, and a reader of every frame."""

    def __init__(
        self, runtime: Path, camera: PluggedCamera, stack: ExitStack, *options: str
    ) -> None:
        environ = {
            **os.environ,
            "FRAMEBUS_RUNTIME_DIR": str(runtime),
            "PYTHONPATH": f"{_TREE}:{_TREE / 'shared'}",
        }
        command = [sys.executable, "-m", "tests.guest.inside.supervised_capture"]
        self.node = camera.wait_node()
        self.log = stack.enter_context((runtime / "log").open("w+b"))
        self.process = subprocess.Popen(
            [
                *(*command, "--source", f"v4l2:{self.node}"),
                *("--fps", "0.5", "--ring-size", "8M", *options),
            ],
            env=environ,
            stderr=self.log,
        )
        stack.callback(self._end)
        self.names = CameraNames(runtime)
        self.reader = stack.enter_context(FrameReader(runtime=runtime, every=True))

    def call(self, method: str) -> dict[str, object]:
        """One control call, as soon as a daemon answers."""

        def answer() -> dict[str, object]:
            with ControlClient(self.names, timeout_s=10.0) as client:
                try:
                    result = client.call(method)
                except FramebusError:
                    return {}
            assert isinstance(result, dict)
            return result

        return wait_for(answer, f"an answer to {method}", LIMIT_S)

    def frames(self, count: int) -> list[Frame]:
        """The next frames."""
        return [self.reader.next(LIMIT_S) for _ in range(count)]

    def kill(self) -> None:
        """SIGKILL the daemon."""
        os.kill(int(str(self.call("status")["pid"])), signal.SIGKILL)

    def said(self, text: str) -> int:
        """How often the log has `text`."""
        return Path(self.log.name).read_text(errors="replace").count(text)

    def _end(self) -> None:
        self.process.terminate()
        assert self.process.wait(LIMIT_S) == 0, Path(self.log.name).read_text()
