"""The segment: a SharedMemory object that is made with all its bytes, or not at all.

For its writer, who holds a lock on it as long as it lives: so what dead ones have left is told
from what others write (leftovers.py).
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from framebus.errors import NoPermission, OutOfResources, SegmentFull, refused
from framebus.names import CameraNames, segment_path
from framebus.ring.layout import PAGE, Geometry, check_byte_order
from framebus.ring.untracked import UntrackedSharedMemory

_MODE = 0o640  # the web tier reads through the group; nobody but the owner writes
_NO_ROOM = (errno.ENOSPC, errno.ENOMEM, errno.EDQUOT, errno.EFBIG)


def make(
    names: CameraNames, wanted: int, *, smallest: int
) -> tuple[UntrackedSharedMemory, Geometry]:
    """Make a segment, and return it and its geometry.

    Its arena has `wanted` bytes, or, where there is no room, as many halvings of that as need be,
    and `smallest` at last. Raises SegmentFull, OutOfResources (no descriptor), NoPermission, and
    SegmentInvalid on a big-endian machine; nothing is left then.
    """
    check_byte_order()
    capacity = wanted
    while True:
        geometry = Geometry.for_capacity(capacity)
        try:
            return _allocate(names.new_segment(), geometry.size), geometry
        except SegmentFull:
            if capacity <= smallest:
                raise
            capacity = max(capacity // 2, smallest)


def _allocate(name: str, size: int) -> UntrackedSharedMemory:
    """Make a segment that really has `size` bytes, all of them in this process's page tables.

    SharedMemory makes it, truncates it to its size and maps it. Nothing may be stored before it has
    its blocks: a store into a full tmpfs is SIGBUS (shm_overview(7), mmap(2)).
    """
    path = segment_path(name)
    try:
        segment = UntrackedSharedMemory(name, size)
    except OSError as error:
        raise _failed(path, size, error) from error  # no inode left, or no address space
    try:
        fcntl.lockf(segment.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.posix_fallocate(segment.fileno(), 0, size)
        os.fchmod(segment.fileno(), _MODE)
    except OSError as error:
        segment.close()
        segment.unlink()
        raise _failed(path, size, error) from error
    # A store in each page now, not with each page of each frame until the ring has gone round.
    segment.buf[::PAGE] = bytes(size // PAGE)
    return segment


def _failed(path: Path, size: int, error: OSError) -> SegmentFull | OutOfResources | NoPermission:
    if error.errno in _NO_ROOM:
        return SegmentFull(
            f"{path.parent} has no room for a ring of {size} bytes: use a smaller --ring-size, "
            f"or give {path.parent} more (a container: --shm-size)"
        )
    return refused(error, f"cannot create the ring {path}", f"let {path.parent} be written")
