"""The segment as a file in shared memory: made with all its bytes, or not at all.

For its writer, who holds a lock on it as long as it lives: so what dead ones have left is told
from what others write (leftovers.py).
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from framebus.errors import NoPermission, SegmentFull
from framebus.names import CameraNames, segment_path
from framebus.ring.layout import Geometry

_MODE = 0o640  # the web tier reads through the group; nobody but the owner writes
_NO_ROOM = (errno.ENOSPC, errno.ENOMEM, errno.EDQUOT, errno.EFBIG)


def make(
    names: CameraNames, wanted: int, *, smallest: int | None = None
) -> tuple[Path, int, Geometry]:
    """Make a segment, and return its path, its descriptor and its geometry.

    Its arena has `wanted` bytes, or, where there is no room, as many halvings of that as need be,
    down to `smallest`. Raises SegmentFull and NoPermission; nothing is left then.
    """
    capacity = wanted
    while True:
        path = segment_path(names.new_segment())
        geometry = Geometry.for_capacity(capacity)
        try:
            return path, _allocate(path, geometry.size), geometry
        except SegmentFull:
            if smallest is None or capacity // 2 < smallest:
                raise
            capacity //= 2


def _allocate(path: Path, size: int) -> int:
    """Create a file of `size` bytes that really has them, and return its descriptor.

    Not through multiprocessing.shared_memory: that starts a resource-tracker process, which
    unlinks by name, and it truncates where this allocates. Without the blocks, a store into a full
    tmpfs is SIGBUS (shm_overview(7), mmap(2)).
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        fd = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno in _NO_ROOM:  # no inode left
            raise _full(path, size) from error
        raise NoPermission(f"cannot create the ring {path}: {error.strerror}") from error
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.posix_fallocate(fd, 0, size)
        os.fchmod(fd, _MODE)
    except OSError as error:
        os.close(fd)
        path.unlink()
        if error.errno in _NO_ROOM:
            raise _full(path, size) from error
        raise
    return fd


def _full(path: Path, size: int) -> SegmentFull:
    return SegmentFull(
        f"{path.parent} has no room for a ring of {size} bytes: use a smaller --ring-size, "
        f"or give {path.parent} more (a container: --shm-size)"
    )
