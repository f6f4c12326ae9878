"""The harness's end of rival.py: starts rivals for the camera, and sees them end."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from tests.guest.recovery.steps import Rival


class Rivals:
    """At most one rival at a time. The process that forks them starts with the first."""

    def __init__(self) -> None:
        self._forker: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._pidfd = -1
        self.taken = False
        """Whether the present rival got the camera."""

    def start(self, node: Path, rival: Rival) -> None:
        """Let a rival try for the camera at `node`."""
        self.end()
        self._wanted(
            json.dumps({"node": str(node), "hold": rival.hold.value, "for_s": rival.for_s})
        )
        self._pid = int(self._line()["pid"])
        self._pidfd = os.pidfd_open(self._pid)
        self.taken = False

    def warm(self) -> None:
        """Start the process that forks them, which takes seconds."""
        if self._forker is None:
            self._forker = subprocess.Popen(
                [sys.executable, "-m", "tests.guest.recovery.rival"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )

    def wait_taken(self, limit_s: float) -> bool:
        """Wait until the rival has the camera; False if it has not after so many seconds."""
        assert self._forker is not None
        assert self._forker.stdout is not None
        if not self.taken and select.select([self._forker.stdout], [], [], limit_s)[0]:
            self.taken = self._line().get("taken") == self._pid
        return self.taken

    def late(self) -> bool:
        """Whether there is a rival that has not got the camera within a second."""
        return self._pidfd >= 0 and not self.wait_taken(1.0)

    def wait_end(self, limit_s: float) -> bool:
        """Wait until the rival has ended by itself."""
        return self._pidfd < 0 or bool(select.select([self._pidfd], [], [], limit_s)[0])

    def end(self) -> None:
        """Kill the rival, if there is one, and wait until the kernel has let go of it."""
        if self._pidfd < 0:
            return
        self.wait_taken(0.0)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        if not self.wait_end(30.0):
            raise TimeoutError(f"the rival {self._pid} does not die")
        self.wait_taken(0.0)  # or its line would be the next one's
        os.close(self._pidfd)
        self._pidfd = -1

    def close(self) -> None:
        """End all of it."""
        self.end()
        if self._forker is not None:
            assert self._forker.stdin is not None
            assert self._forker.stdout is not None
            self._forker.stdin.close()
            self._forker.wait(30)
            self._forker.stdout.close()

    def _wanted(self, line: str) -> None:
        self.warm()
        assert self._forker is not None
        assert self._forker.stdin is not None
        self._forker.stdin.write(line.encode() + b"\n")
        self._forker.stdin.flush()

    def _line(self) -> dict[str, int]:
        assert self._forker is not None
        assert self._forker.stdout is not None
        # Unbuffered, or select would not see what Python has read ahead.
        line = bytearray()
        while not line.endswith(b"\n"):
            byte = os.read(self._forker.stdout.fileno(), 1)
            if not byte:
                raise RuntimeError("the process that forks rivals has died")
            line += byte
        document: dict[str, int] = json.loads(line)
        return document
