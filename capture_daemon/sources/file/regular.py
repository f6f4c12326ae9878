"""Opens what may be read without waiting: regular files, and nothing else.

A pipe would wait for who writes into it, and a device may act on being opened, so what a name means
is looked at first.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import BinaryIO, NamedTuple

_SETTLED_S = 3.0
"""A file that was written to this recently may be written to again within one tick of its own
clock: two seconds with FAT, some milliseconds elsewhere."""


class NotRegularError(OSError):
    """It is a directory, a pipe, a device or a socket."""


class Identity(NamedTuple):
    """What changes when the content of a file does."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Identity:
        """Return the identity of a file from its status."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def settled(self) -> bool:
        """Tell whether its content cannot have changed since without the identity changing too."""
        return time.time() - self.mtime_ns / 1e9 > _SETTLED_S


def identify(path: Path) -> Identity:
    """Return the identity of a regular file. Raises OSError, NotRegularError."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise NotRegularError(f"{path} is no regular file")
    return Identity.of(found)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading, links followed. Raises OSError, NotRegularError."""
    identify(path)
    # Should it have been replaced since, the open still waits for nobody.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    file = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotRegularError(f"{path} is no regular file")
    return file
