"""Who holds a lock file: how a reader tells a living daemon from a dead one, without asking it."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

_FLOCK = struct.Struct("@hhqqi4x")  # struct flock of fcntl(2), with a 64-bit off_t


def holder(lock: Path) -> int:
    """Return the pid of the process that holds a `lockf` on this file, 0 when nobody does.

    Reports nothing of the calling process's own locks, and must not be called by a process that
    holds one on this file: POSIX drops a lock when any descriptor of the file is closed.
    """
    try:
        fd = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return lock_holder(fd)
    finally:
        os.close(fd)


def lock_holder(fd: int, at: int = 0, length: int = 0) -> int:
    """Return the pid of another process that holds a `lockf` on these bytes, 0 when none does.

    `length` 0 reaches to the end of the file, however long it is.
    """
    query = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, at, length, 0)
    kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, query))
    return pid if kind != fcntl.F_UNLCK else 0
