"""Segments that dead daemons of a camera have left in shared memory.

A killed daemon leaves the one that its ring file tells of, and that is gone on from. One that was
killed between making its segment and telling of it leaves another, which nobody can find by a file:
by its name and its owner it is one of this camera's, and its writer would hold a lock on it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from framebus.errors import Untrusted
from framebus.liveness import lock_holder
from framebus.names import SHARED_MEMORY, CameraNames
from framebus.trusted_files import open_trusted


def segments(
    names: CameraNames, owner: int, *, keep: Path | None = None, directory: Path = SHARED_MEMORY
) -> list[Path]:
    """Return the segments of this camera that belong to user `owner` and that nobody writes.

    `keep`, this process's own, is not looked at: its lock would be lost (liveness.py).
    """
    prefix = names.segment_prefix
    listed = sorted(name for name in os.listdir(directory) if name.startswith(prefix))
    paths = (directory / name for name in listed if names.is_segment(name))
    return [path for path in paths if path != keep and _left(path, owner)]


def remove(names: CameraNames, *, keep: Path | None = None) -> None:
    """Remove what is left of this camera's daemons, but for `keep`, this process's own.

    For the daemon that holds the camera's lock.
    """
    for path in segments(names, os.geteuid(), keep=keep):
        with contextlib.suppress(OSError):
            path.unlink()


def _left(path: Path, owner: int) -> bool:
    """Whether this is a file of `owner`, and nobody writes it as a ring any more."""
    try:
        fd = open_trusted(path, owner)
    except (OSError, Untrusted):
        return False
    try:
        return not lock_holder(fd)
    finally:
        os.close(fd)
