"""One child process of `framebus up`, over all its lives: started, asked to end, killed, collected.

Each child has a process group of its own, so that the terminal's Ctrl-C reaches only us and what a
dead child leaves behind can be ended with it. That happens while the child is still a zombie: its
process id, and so its group's, cannot be anybody else's yet.
"""

from __future__ import annotations

import contextlib
import os
import signal

from framebus.cli.descriptor_store import DescriptorStore
from framebus.cli.part import KEPT
from framebus.cli.restarts import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from framebus.cli.part import Part


class Child:
    """One part's process, over all its lives."""

    def __init__(self, part: Part, environ: Mapping[str, str]) -> None:
        self.part = part
        self.row = Row()
        self.due_s: float | None = 0.0
        """Monotonic seconds at which it is to be started; None while it runs or is not wanted."""
        self.store = DescriptorStore(part.keeps) if part.keeps else None
        self._environ = environ
        self._started_s = 0.0
        self.pid = 0
        """Its process id, 0 while it does not run."""
        self.pidfd = -1
        """A descriptor that is readable once it ended, -1 while it does not run."""

    def start(self, now_s: float) -> None:
        """Start it, now being `now_s` on the monotonic clock. Raises OSError."""
        kept = [fd for _, fd in self.store.kept] if self.store else []
        for fd in kept:  # all others are closed at exec: Python's are, and supervise.py sees to it
            os.set_inheritable(fd, True)
        try:
            pid = os.posix_spawn(
                self.part.command[0],
                [*self.part.command],
                self.part.environment({**self._environ, **self._handing_over()}),
                file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
                setpgroup=0,
                setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores them
            )
        finally:
            for fd in kept:
                os.set_inheritable(fd, False)
        try:
            self.pidfd = os.pidfd_open(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        self.pid = pid
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
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)

    def kill_group(self) -> None:
        """SIGKILL it and every process of its group."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def reap(self, now_s: float) -> tuple[int, float]:
        """Collect an ended child and the rest of its group: (exit code, seconds lived).

        The exit code is negative for a signal.
        """
        if not self.pid:
            raise ValueError("reap: this child does not run")
        self.hear()  # its last words
        self.kill_group()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        self.pid, self.pidfd = 0, -1
        return os.waitstatus_to_exitcode(status), now_s - self._started_s
