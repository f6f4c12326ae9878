"""The rungs about other processes that have the device: wait for them, or end one of our own.

A process is waited for through its pidfd: after its end is readable there, the kernel has let go of
all it had. (Right after SIGKILL a device was still busy in 187 of 200 tries.) Who has the device is
for `find` to say; the lock of the device names an earlier daemon of ours without it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from framebus.errors import FramebusError, OutOfResources
from framebus.liveness import holder
from framebus.names import device_lock
from framebus.trusted_files import open_trusted

from capture_daemon.ownership.locks import start_time
from capture_daemon.recovery.rungs import Outcome, Result
from capture_daemon.sources.base import Interrupt

FindHolders = Callable[[int], Iterable[int]]
"""The pids of the processes that have a device (st_rdev), as far as they can be seen."""


_LOOK_AGAIN_S = 0.5
"""A holder may let go without ending: who has the device is looked up this often at first ..."""
_LOOK_AGAIN_MOST_S = 5.0
"""... and at least this often."""
_JUST_ENDED_S = 0.05
_TERM_S = 2.0
_KILL_S = 6.0
"""A hung camera makes its holder take over 5 s to die."""
_TEXT_MAX = 128  # bytes of a lock file: two numbers


class Holding:
    """Waits for holders. The capture thread's; it has nothing open then."""

    def __init__(
        self,
        *,
        runtime: Path,
        own_lock: Path,
        find: FindHolders,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`own_lock` is the camera's lock file, which this process holds and must not open."""
        self._runtime = runtime
        self._own_lock = own_lock
        self._find = find
        self._clock = clock

    def wait(self, rdev: int, limit_s: float, interrupt: Interrupt) -> Outcome:
        """Wait until nobody that can be seen has the device any more."""
        deadline = self._clock() + limit_s
        look_again_s = _LOOK_AGAIN_S
        waited_for: list[int] = []
        try:
            while pids := self._pids(rdev):
                waited_for = pids
                left_s = deadline - self._clock()
                if left_s <= 0:
                    return Outcome(Result.NOTHING, f"{_processes(pids)} still has it")
                if self._until_one_ends(pids, min(left_s, look_again_s), interrupt):
                    return Outcome(Result.NOTHING, "interrupted")
                look_again_s = min(2 * look_again_s, _LOOK_AGAIN_MOST_S)
        except OutOfResources as error:
            return Outcome(Result.NOTHING, str(error))
        if not waited_for:
            return Outcome(Result.NOTHING, "nobody is seen to have it")
        return Outcome(Result.DONE, f"{_processes(waited_for)} let go of it")

    def end(self, rdev: int, interrupt: Interrupt) -> Outcome:
        """End the earlier daemon of ours that has the device, and nobody else."""
        pid = self._earlier_daemon(rdev)
        if not pid:
            return Outcome(Result.UNAVAILABLE, "the holder is no earlier daemon of ours")
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return Outcome(Result.DONE, f"process {pid} had ended")
        except OSError as error:  # no descriptor is left
            return Outcome(Result.NOTHING, f"cannot watch process {pid}: {error.strerror}")
        try:
            if self._earlier_daemon(rdev) != pid:  # its pid might be another's by now
                return Outcome(Result.NOTHING, f"process {pid} had ended")
            for number, patience_s in ((signal.SIGTERM, _TERM_S), (signal.SIGKILL, _KILL_S)):
                try:
                    signal.pidfd_send_signal(pidfd, number)
                except ProcessLookupError:
                    return Outcome(Result.DONE, f"process {pid} ended")
                except PermissionError:
                    return Outcome(Result.UNAVAILABLE, f"process {pid} is another user's")
                if pidfd in interrupt.wait(patience_s, pidfd):
                    return Outcome(Result.DONE, f"process {pid} ended after {number.name}")
                if interrupt.wait(0):
                    return Outcome(Result.NOTHING, "interrupted")
        finally:
            os.close(pidfd)
        return Outcome(Result.NOTHING, f"process {pid} does not end")

    def _pids(self, rdev: int) -> list[int]:
        owner = holder(device_lock(self._runtime, rdev))
        found = {*self._find(rdev), *([owner] if owner else [])}
        return sorted(found - {os.getpid()})

    def _until_one_ends(self, pids: list[int], seconds: float, interrupt: Interrupt) -> bool:
        """Wait until a process ends or time passes; True if it was interrupted."""
        with contextlib.ExitStack() as stack:
            pidfds = []
            for pid in pids:
                try:
                    pidfds.append(os.pidfd_open(pid))
                except OSError:  # it has just ended, or no descriptor is left: look again soon
                    return interrupt.fileno() in interrupt.wait(_JUST_ENDED_S)
                stack.callback(os.close, pidfds[-1])
            return interrupt.fileno() in interrupt.wait(seconds, *pidfds)

    def _earlier_daemon(self, rdev: int) -> int:
        """Return the pid of a daemon of ours that has the device and serves no camera, else 0.

        It must hold the device's lock by the kernel's word, be the very process that wrote the
        lock file (by its start time), and hold no camera's lock: one that does is alive and well,
        and two daemons that were given one device must not end each other in turn. What cannot be
        seen, for want of a descriptor too, is as good as alive and well.
        """
        lock = device_lock(self._runtime, rdev)
        try:
            pid = holder(lock)
            if not pid or pid == os.getpid():
                return 0
            written, started = _text(lock).split()
            if written != str(pid) or started != str(start_time(pid)):
                return 0
            others = (each for each in os.listdir(self._runtime) if each.endswith(".lock"))
            for other in (self._runtime / each for each in others if not each.startswith("@")):
                if other != self._own_lock and holder(other) == pid:
                    return 0
        except (OSError, FramebusError, ValueError):
            return 0
        return pid


def _text(lock: Path) -> str:
    """Return what is written in a lock file of ours. Raises OSError, FramebusError."""
    fd = open_trusted(lock, os.geteuid())
    try:
        return os.read(fd, _TEXT_MAX).decode("ascii", "replace")
    finally:
        os.close(fd)


def _processes(pids: list[int]) -> str:
    return f"process {', '.join(map(str, pids))}"
