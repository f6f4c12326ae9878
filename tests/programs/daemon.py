"""Runs the capture daemon as a process of its own, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from framebus.cli import polling
from framebus.control.client import ControlClient
from framebus.errors import ControlError, FramebusError
from framebus.names import CameraNames

from tests.helpers.segments import remove_segments, segments
from tests.helpers.waiting import until


class DaemonProcess:
    """One daemon in `runtime`; leaving the context ends it, by SIGKILL if it must be."""

    def __init__(
        self,
        runtime: Path,
        *options: str,
        name: str = "camera",
        environ: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
        command: Sequence[str] = (sys.executable, "-m", "capture_daemon"),
    ) -> None:
        self.names = CameraNames(runtime, name)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed by __exit__
        self.process = subprocess.Popen(
            [*wrapper, *command, "--name", name, *options],
            env={**os.environ, "FRAMEBUS_RUNTIME_DIR": str(runtime), **(environ or {})},
            stderr=self._log,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if error is not None:
            sys.stderr.write(self.log())
        self._log.close()
        remove_segments(self.names)

    def log(self) -> str:
        """What it has written to stderr so far."""
        self._log.seek(0)
        return self._log.read().decode()

    def call(self, method: str, timeout_s: float = 30.0, **params: object) -> dict[str, Any]:
        with ControlClient(self.names, timeout_s=timeout_s) as client:
            if method == "configure":  # on a busy machine its look may take longer than a call
                result = polling.configure(client, params, clock=time.monotonic, sleep=time.sleep)
            else:
                result = client.call(method, params)
        assert isinstance(result, dict)
        return result

    def status(self) -> dict[str, Any]:
        """The status document; {} while the daemon is not up."""
        try:
            return self.call("status")
        except FramebusError as error:
            if isinstance(error, ControlError):
                raise
            return {}

    def until_state(self, *states: str, within_s: float = 30.0) -> dict[str, Any]:
        """Wait until it is in one of these states, and return its status."""

        def reached() -> dict[str, Any]:
            assert self.process.poll() is None, self.log()
            status = self.status()
            return status if status.get("state") in states else {}

        return until(reached, within_s=within_s, what=f"state {' or '.join(states)}")

    def ended(self, within_s: float = 30.0) -> int:
        """Wait until it has ended, and return its exit code."""
        return self.process.wait(within_s)

    def left_behind(self) -> list[str]:
        """What lies in the runtime directory and in shared memory under its name."""
        left = [entry.name for entry in self.names.runtime.iterdir()]
        return left + [path.name for path in segments(self.names)]
