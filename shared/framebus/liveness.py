"""Who holds a lock file: how a reader tells a living daemon from a dead one, without asking it."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from framebus.errors import FramebusError, OutOfResources, raise_shortage
from framebus.trusted_files import open_trusted, owner_of

_FLOCK = struct.Struct("@hhqqi4x")  # struct flock of fcntl(2), with a 64-bit off_t


def holder(lock: Path, owner: int | None = None) -> int:
    """Return the pid of the process that holds a `lockf` on this file, 0 when nobody does.

    Nobody holds what is not to be believed (trusted_files.py); `owner` is the user id whose files
    are, where that is not to be found out from the directory. Reports nothing of the calling
    process's own locks, and must not be called by a process that holds one on this file: POSIX
    drops a lock when any descriptor of the file is closed. Raises OutOfResources: it is not known.
    """
    try:
        fd = open_trusted(lock, owner_of(lock.parent) if owner is None else owner)
    except OutOfResources:
        raise
    except FramebusError:
        return 0
    except OSError as error:
        raise_shortage(error, f"cannot look who holds {lock}")
        return 0
    try:
        return lock_holder(fd)
    finally:
        os.close(fd)


def lock_holder(fd: int, at: int = 0, length: int = 0) -> int:
    """Return the pid of another process that holds a `lockf` on these bytes, 0 when none does.

    `length` 0 reaches to the end of the file, however long it is. Only locks to write count: one
    to read may be had by whoever may read the file.
    """
    kind, pid = _obstacle(fd, at, length)
    return pid if kind == fcntl.F_WRLCK else 0


def locked_by_reader(fd: int) -> bool:
    """Whether a process that need not be allowed to write the file keeps others from locking it."""
    return _obstacle(fd, 0, 0)[0] == fcntl.F_RDLCK


def _obstacle(fd: int, at: int, length: int) -> tuple[int, int]:
    """Return what is in the way of a lock to write: F_RDLCK, F_WRLCK or F_UNLCK, and whose pid."""
    query = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, at, length, 0)
    kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, query))
    return kind, pid
