"""RUNTIME/CAMERA.ring: one line with the name of the segment that the camera's daemon writes.

The daemon replaces it at once, after its segment is complete, and removes it at a clean end.
Readers find the ring through it, and see by it that there is a new one.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from framebus.errors import FramebusError, SegmentInvalid, refused
from framebus.names import CameraNames, segment_path
from framebus.trusted_files import open_trusted, owner_of

_MODE = 0o640  # the web tier reads through the group
_LONGEST = 128  # bytes; a name has at most 83

Mark = tuple[int, int, int]
"""What tells one of these files from the one that replaces it."""


def read(names: CameraNames) -> tuple[Path, int, Mark]:
    """Return the segment that the daemon tells of, the user id to whom it must belong, and the mark
    of the file that tells. Raises FileNotFoundError when it tells of none.

    CameraAbsent, NoPermission, OutOfResources, Untrusted and OSError are `owner_of`'s and
    `open_trusted`'s; SegmentInvalid: what is written there is no name of a segment of this camera.
    """
    owner = owner_of(names.runtime)
    path = names.ring_file
    fd = open_trusted(path, owner)
    try:
        found = os.fstat(fd)
        content = os.read(fd, _LONGEST)
    finally:
        os.close(fd)
    name = content.decode("ascii", "replace").removesuffix("\n")
    if not names.is_segment(name):
        raise SegmentInvalid(
            f"{path} does not name a ring: start the daemon of {names.camera!r} again"
        )
    return segment_path(name), owner, _mark(found)


def mark(path: str) -> Mark | None:
    """Return what tells the file at `path` from others, None where there is none to be seen.

    Readers look with each frame: hence no Path, which takes longer than the look.
    """
    try:
        return _mark(os.lstat(path))
    except OSError:
        return None


def write(names: CameraNames, segment: Path) -> None:
    """Tell of a segment, in place of what was told before. Raises NoPermission and OutOfResources.

    For the daemon that holds the camera's lock.
    """
    path = names.ring_file
    making = path.with_name(f".{path.name}.new")
    try:
        making.unlink(missing_ok=True)  # of a daemon that was killed at this step
        fd = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(fd, _MODE)
            os.write(fd, f"{segment.name}\n".encode())
        finally:
            os.close(fd)
        making.rename(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            making.unlink()
        remedy = f"remove {error.filename2 or path}"
        raise refused(error, f"cannot write {path}", remedy) from error


def remove(names: CameraNames, segment: Path) -> None:
    """Tell of nothing any more, if it is still this segment that is told of."""
    with contextlib.suppress(OSError, FramebusError):
        if read(names)[0] == segment:
            names.ring_file.unlink()


def _mark(found: os.stat_result) -> Mark:
    return found.st_dev, found.st_ino, found.st_mtime_ns
