"""The processes under test: the daemon, its keeper and the web tier, in the guest.

Everything they write goes to one log, of which the end is a failure's evidence.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from framebus.liveness import holder
from framebus.names import CameraNames

from tests.guest.camera.client import wait_for
from tests.guest.recovery import leftovers
from tests.guest.recovery.cases import SIZE, Fault, Stack

PORT = 8080
"""Where viewers are."""
_OTHER_PORT = 8081
_END_S = 40.0


class Processes:
    """One stack: what runs, and how it is started and ended."""

    def __init__(self, fault: Fault, *, names: CameraNames, source: str, log: Path) -> None:
        """Start all of it; `fault` says which kind and at what frame rate."""
        self.kind = fault.stack
        self._kept_port = PORT if self.kind is Stack.UP else _OTHER_PORT
        self.camera = fault.camera
        self._names = names
        self._log = log.open("ab")
        self._capture = [f"--source={source}", f"--size={SIZE}", f"--fps={fault.fps}"]
        self.keeper: subprocess.Popen[bytes] | None = None
        self.daemons: list[subprocess.Popen[bytes]] = []
        """Those that the harness started itself, dead ones too."""
        self._web: subprocess.Popen[bytes] | None = None
        if self.kind is Stack.ALONE:
            self.start_daemon()
        else:
            self.start_keeper()
        if self.kind is not Stack.UP:
            config = ["--config", "python:web_workers.gunicorn_conf"]
            self._web = self._spawn(["-m", "gunicorn", *config], FRAMEBUS_BIND=f"127.0.0.1:{PORT}")

    def start_daemon(self) -> None:
        """Start one more daemon."""
        self.daemons.append(self._spawn(["-m", "capture_daemon", *self._capture]))

    def start_keeper(self) -> None:
        """Start `framebus up`, when nothing of an earlier one is left."""
        if self.keeper is not None:
            self.keeper.wait(_END_S)
            wait_for(lambda: not self._kept(), "the children of `framebus up` to end", _END_S)
        bind = f"--bind=127.0.0.1:{self._kept_port}"
        self.keeper = self._spawn(["-m", "framebus", "up", *self._capture, bind, "--workers=1"])

    def answers(self) -> bool:
        """Whether the keeper's web tier has a worker, where there is a keeper.

        A worker that is still to come would be counted as left over afterwards.
        """
        if self.keeper is None:
            return True
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._kept_port}/healthz", timeout=5):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def _kept(self) -> list[int]:
        """Return the processes that a keeper started, or their children."""
        own = {process.pid for process in (self._web, *self.daemons) if process}
        return [pid for pid in leftovers.ours() if not own.intersection((pid, _parent(pid)))]

    def daemon(self) -> int:
        """Return the process id of the daemon that serves the camera, 0 while there is none."""
        return holder(self._names.lock)

    def roles(self) -> dict[int, str]:
        """Return what the processes are that hold a camera by right."""
        roles = {self.daemon(): "daemon"}
        if self.keeper is not None:
            roles[self.keeper.pid] = "keeper"
        return roles

    def kill(self, whom: str) -> None:
        """SIGKILL the daemon or the keeper, and wait until it is gone."""
        if whom == "keeper":
            assert self.keeper is not None
            self.keeper.kill()
            self.keeper.wait(_END_S)
            return
        pid = self.daemon()
        if not pid and self.keeper is not None and self.keeper.poll() is not None:
            return  # it ended with its keeper
        if not pid:
            raise RuntimeError("there is no daemon to kill")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: _ended(pid), f"the daemon {pid} to die", _END_S)

    def ended(self) -> list[int]:
        """Return the exit codes of the daemons that the harness started and that have ended."""
        codes = [process.poll() for process in self.daemons]
        return [code for code in codes if code is not None]

    def forget_ended(self) -> None:
        """Count no longer those that have ended so far."""
        self.daemons = [process for process in self.daemons if process.poll() is None]

    def end(self) -> list[str]:
        """End all of it by SIGTERM; return what did not end as it should."""
        problems = []
        running = [process for process in (self.keeper, *self.daemons, self._web) if process]
        for process in running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + _END_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                problems.append(f"{process.args!r} did not end within {_END_S:g} s of SIGTERM")
                process.kill()
                process.wait(_END_S)
        try:
            wait_for(lambda: not leftovers.ours(), "the processes to end", 10.0)
        except TimeoutError:
            for pid in leftovers.ours():
                command = " ".join(leftovers.command_of(Path(f"/proc/{pid}")))
                problems.append(f"process left: {command}")
                os.kill(pid, signal.SIGKILL)
        self._log.close()
        return problems

    def _spawn(self, arguments: Sequence[str], **environ: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, "FRAMEBUS_WORKERS": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )


def _stat(pid: int) -> list[str]:
    """Return /proc/PID/stat from the state on; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _ended(pid: int) -> bool:
    """Whether a process is no more, or a zombie that its parent has not collected."""
    return (_stat(pid) or "Z")[0] in "ZX"


def processor_s(pid: int) -> float:
    """Return the processor time that a process's threads have taken so far, seconds.

    By the scheduler's count (the kernel's Documentation/scheduler/sched-stats.rst): what
    /proc/PID/stat says is sampled at each tick, and misses whoever wakes for less.
    """
    ran_ns = 0
    folder = Path(f"/proc/{pid}/task")
    with contextlib.suppress(OSError):  # the process may have ended, or a thread may
        for thread in os.listdir(folder):
            with contextlib.suppress(OSError):
                ran_ns += int((folder / thread / "schedstat").read_text().split()[0])
    return ran_ns / 1e9


def _parent(pid: int) -> int:
    return int((_stat(pid) or ["", "0"])[1])
