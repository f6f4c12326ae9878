"""One child process of `framebus up`, over all its lives: started, asked to end, killed, collected.

Each child has a process group of its own, so that the terminal's Ctrl-C reaches only us and what a
dead child leaves behind can be ended with it. That happens while the child is still a zombie: its
process id, and so its group's, cannot be anybody else's yet.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from framebus import printable
from framebus.cli.descriptor_store import DescriptorStore
from framebus.cli.launch import KEPT
from framebus.cli.restarts import Row


@dataclass(frozen=True, slots=True)
class Part:
    """What one child is: its name for people, and the command that starts it."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    """What differs for it from the environment of all; None: it has no such variable."""
    keeps: bool = False
    """It may leave descriptors with us for its next life (descriptor_store.py)."""
    retried: frozenset[int] = frozenset()
    """Exit codes after which it is tried again at its first start too (restarts.py)."""

    def environment(self, common: Mapping[str, str]) -> dict[str, str]:
        """Return its environment, given that of all."""
        merged = {**common, **self.environ}
        return {name: value for name, value in merged.items() if value is not None}

    def refusal(self, common: Mapping[str, str]) -> str:
        """Return what it says against its options, "" where they are sound; it is not started.

        Any other trouble that it has is no matter of its options.
        """
        done = subprocess.run(
            [*self.command, "--check"],
            env=self.environment(common),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        return printable.lines(done.stderr.rstrip()) if done.returncode == os.EX_USAGE else ""


class Child:
    """One part's process, over all its lives."""

    def __init__(self, part: Part, environ: Mapping[str, str]) -> None:
        self.part = part
        self.row = Row()
        self.due_s: float | None = 0.0
        """Monotonic seconds at which it is to be started; None while it runs or is not wanted."""
        self.store = DescriptorStore() if part.keeps else None
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._pidfd = -1

    @property
    def pid(self) -> int:
        """Its process id, 0 while it does not run."""
        return self._process.pid if self._process else 0

    @property
    def pidfd(self) -> int:
        """A descriptor that is readable once it ended, -1 while it does not run."""
        return self._pidfd

    def start(self, now_s: float) -> None:
        """Start it, now being `now_s` on the monotonic clock. Raises OSError."""
        kept = self.store.kept if self.store else ()
        process = subprocess.Popen(
            list(self.part.command),
            env=self.part.environment({**self._environ, **self._handing_over()}),
            stdin=subprocess.DEVNULL,
            process_group=0,
            pass_fds=[fd for _, fd in kept],
        )
        try:
            self._pidfd = os.pidfd_open(process.pid)
        except OSError:
            process.kill()
            process.wait()
            raise
        self._process = process
        self._started_s = now_s
        self.due_s = None

    def hear(self) -> None:
        """Take from it what it wants kept."""
        if self.store is not None:
            self.store.receive(self.pid)

    def _handing_over(self) -> dict[str, str]:
        """Return the part of its environment that is about kept descriptors."""
        if self.store is None:
            return {}
        names = [name for name, _ in self.store.kept]
        numbers = [str(fd) for _, fd in self.store.kept]
        return {
            "NOTIFY_SOCKET": self.store.address,
            "LISTEN_FDNAMES": ":".join(names),
            KEPT: ",".join(numbers),
        }

    def terminate(self) -> None:
        """Ask it to end; whatever processes it has are its own to end."""
        if self._process is not None:
            # Not Popen.terminate: that reaps, and what may be reaped is decided in `reap` alone.
            os.kill(self._process.pid, signal.SIGTERM)

    def kill_group(self) -> None:
        """SIGKILL it and every process of its group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def reap(self, now_s: float) -> tuple[int, float]:
        """Collect an ended child and the rest of its group: (exit code, seconds lived)."""
        if self._process is None:
            raise ValueError("reap: this child does not run")
        self.hear()  # its last words
        self.kill_group()
        exit_code = self._process.wait()
        os.close(self._pidfd)
        self._process, self._pidfd = None, -1
        return exit_code, now_s - self._started_s
