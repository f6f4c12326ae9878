"""Lock files: one daemon per camera name, and one per device. Knows nothing of what they protect.

POSIX locks (`lockf`), because a child forked by somebody cannot keep them alive after our death.
Their one trap: they drop when any descriptor of the file is closed in this process. So each file
is opened once, here, and this class must be the only opener of lock files in the process.

A file's text is its holder's pid and, in a second line, when that process started. It may be
unlinked by its holder while another process waits for it with the old file open; so whoever gets
the lock checks that the path still leads to what it has locked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
from pathlib import Path

from framebus.errors import CameraHeld, refused
from framebus.liveness import holder, lock_holder, locked_by_reader
from framebus.trusted_files import lies_at, open_trusted

_MODE = 0o640
_CHILD_OF_UP = re.compile(r"framebus\.cli\.launch\0([0-9]+)\0")
"""In a command line: what `framebus up` starts its children with, and its own process id."""
_UNIT = re.compile(r"/(framebus[\w@.-]*\.service)$", re.MULTILINE)
"""In /proc/PID/cgroup."""


class Locks:
    """The locks of this process. Thread-safe: the capture thread takes the device's."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held: dict[Path, tuple[int, object]] = {}

    def acquire(self, path: Path, what: str, owner: object = None) -> None:
        """Take the lock at `path` for a part of this process. Never waits.

        Harmless when `owner` has it already. Raises CameraHeld, naming the holder of `what`,
        NoPermission and OutOfResources.
        """
        with self._mutex:
            if path not in self._held:
                self._held[path] = _lock(path, what), owner
            elif self._held[path][1] is not owner:
                raise CameraHeld(f"{what} is open in this daemon already", os.getpid())

    def check(self, path: Path, what: str) -> None:
        """Raise CameraHeld if another process has the lock at `path`; takes nothing."""
        with self._mutex:
            if path not in self._held and (pid := holder(path)):
                raise _held(what, pid)

    def release(self, path: Path) -> None:
        """Unlink the file and let the lock go; harmless when it is not held."""
        with self._mutex:
            fd, _ = self._held.pop(path, (-1, None))
            if fd >= 0:
                # Unlinked while still locked: nobody can lock this file and find it at its path.
                # If ours was removed, what lies there is another daemon's.
                with contextlib.suppress(OSError):
                    if lies_at(path, fd):
                        path.unlink()
                os.close(fd)

    def release_all(self) -> None:
        """Release whatever is held."""
        for path in list(self._held):
            self.release(path)


def _lock(path: Path, what: str) -> int:
    while True:
        fd = _open(path)
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            if locked_by_reader(fd):
                _give_up(path, fd)
                continue
            pid = _pid(fd)
            os.close(fd)
            raise _held(what, pid) from None
        except OSError as error:
            os.close(fd)
            raise refused(error, f"cannot lock {path}", "let it be locked") from error
        if lies_at(path, fd):
            _sign(path, fd)
            return fd
        os.close(fd)


def _open(path: Path) -> int:
    try:
        return open_trusted(path, os.geteuid(), flags=os.O_RDWR | os.O_CREAT, mode=_MODE)
    except OSError as error:
        remedy = "run as the user that owns it"
        raise refused(error, f"cannot open the lock file {path}", remedy) from error


def _give_up(path: Path, fd: int) -> None:
    """Remove a lock file that somebody locks who may only read it: he is no daemon of ours.

    Should one of ours get it at this very moment, that one makes way (runtime_files_watch.py).
    """
    if lies_at(path, fd):
        path.unlink(missing_ok=True)
    os.close(fd)


def _sign(path: Path, fd: int) -> None:
    """Write who holds the lock; on failure let it go. Raises NoPermission and OutOfResources."""
    try:
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n{start_time(os.getpid())}\n".encode())
    except OSError as error:
        os.close(fd)
        raise refused(error, f"cannot write the lock file {path}", "remove it") from error


def _pid(fd: int) -> int:
    """Return the holder's pid: the kernel's word, or the file's where namespaces hide it."""
    if pid := lock_holder(fd):
        return pid
    first = os.pread(fd, 32, 0).split(b"\n")[0]
    return int(first) if first.isdigit() else 0


def start_time(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 if it is not there.

    With the pid it names a process for good: a pid alone may be given to another. Raises OSError
    where it cannot be seen.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(stat.rpartition(")")[2].split()[19])  # field 22; the name in brackets is field 2


def _held(what: str, pid: int) -> CameraHeld:
    by = f"by process {pid}" if pid else "by another process"
    return CameraHeld(f"{what} is held {by}{how_to_end(pid)}", pid)


def how_to_end(pid: int, proc: Path = Path("/proc")) -> str:
    """Return what ends a daemon for good: whoever keeps it running would start the next one."""
    if not pid:
        return ""
    try:
        words = (proc / str(pid) / "cmdline").read_text(encoding="utf-8", errors="replace")
        groups = (proc / str(pid) / "cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"; `kill {pid}` ends it"
    if found := _CHILD_OF_UP.search(words):
        return f", of the framebus up that `kill {found[1]}` ends, with all its cameras"
    if found := _UNIT.search(groups):
        return f"; `sudo systemctl stop {found[1]}` ends it"
    return f"; `kill {pid}` ends it"
