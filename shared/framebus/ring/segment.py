"""The segment as a file in shared memory: made with all its bytes, or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from framebus.errors import NoPermission, SegmentFull

_MODE = 0o640  # the web tier reads through the group; nobody but the owner writes
_NO_ROOM = (errno.ENOSPC, errno.ENOMEM, errno.EDQUOT, errno.EFBIG)


def allocate(path: Path, size: int) -> int:
    """Create a file of `size` bytes that really has them, and return its descriptor.

    Not through multiprocessing.shared_memory: that starts a resource-tracker process, which
    unlinks by name what we rename, and it truncates where this allocates. Without the blocks, a
    store into a full tmpfs is SIGBUS (shm_overview(7), mmap(2)).

    Raises SegmentFull and NoPermission; nothing is left then.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NoPermission(f"cannot create the ring {path}: {error.strerror}") from error
    try:
        os.posix_fallocate(fd, 0, size)
        os.fchmod(fd, _MODE)
    except OSError as error:
        os.close(fd)
        path.unlink()
        if error.errno in _NO_ROOM:
            raise SegmentFull(
                f"{path.parent} has no room for a ring of {size} bytes: use a smaller --ring-size, "
                f"or give {path.parent} more (a container: --shm-size)"
            ) from error
        raise
    return fd
