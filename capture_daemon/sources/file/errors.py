"""What a path is that cannot be played, and what to do about it. Knows nothing of playing."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

from framebus.contract.causes import SourceCode
from framebus.errors import SHORTAGES

from capture_daemon.sources.base import SourceError, SourceGone, SourceUnusable
from capture_daemon.sources.file.avi import AviError
from capture_daemon.sources.file.picture import Picture

_FRESH_S = 10.0
"""What was written to this recently may be written to again: it is tried again soon."""


def no_file(path: Path, mode: int) -> SourceUnusable:
    """Return what to say of something else than a file or a directory."""
    match stat.S_IFMT(mode):
        case stat.S_IFIFO:
            kind, remedy = "a pipe", "ffmpeg reads pipes: write ffmpeg: in place of file:"
        case stat.S_IFSOCK:
            kind, remedy = "a socket", "ffmpeg reads sockets: write ffmpeg:unix: in place of file:"
        case _:
            kind, remedy = "a device", "if it is a camera, write v4l2: in place of file:"
    return SourceUnusable(
        "not-a-file", f"{path} is {kind}, neither a file nor a directory", remedy=remedy
    )


def failed(path: Path, error: OSError | AviError) -> SourceError:
    """Return what to say of a path that cannot be read; a shortage is no permanent failure."""
    if isinstance(error, AviError):
        return SourceUnusable(
            "no-motion-jpeg",
            f"{path} cannot be played: {error}, and it does not begin as a JPEG",
            remedy="let ffmpeg decode it: write ffmpeg: in place of file:",
        )
    code: SourceCode
    kind: type[SourceError] = SourceUnusable
    number = error.errno or 0
    match error:
        case _ if number in SHORTAGES:
            kind, remedy = SourceError, SHORTAGES[number]
            code = "no-memory" if number == errno.ENOMEM else "no-descriptors"
        case FileNotFoundError():
            code, remedy = "no-such-file", "check the path; it is relative to where framebus runs"
        case PermissionError():
            code, remedy = "no-permission", _permission()
        case _:
            code, remedy = "unreadable", "check the file system that holds it"
    reason = error.strerror or str(error)
    return kind(code, f"cannot read {path}: {reason}", remedy=remedy, errno=number)


def nothing_there(path: Path) -> SourceError:
    """Return what to say of a path without pictures; no permanent failure if it is written to."""
    return _kind(path)(
        "no-jpeg",
        f"there is no JPEG in {path}",
        remedy="name a picture, an .mjpeg or .avi recording, or a directory of .jpg files",
    )


def nothing_to_show(path: Path, bad: Sequence[Picture]) -> SourceError:
    """Return what to say of a path whose pictures are all as `bad` as these; as above."""
    code: SourceCode = "no-jpeg"
    reasons = "; ".join(picture.sentence for picture in bad)
    if path.is_dir():
        remedy = "put whole JPEGs there; the log names what is passed over"
    else:
        remedy = "put a whole JPEG there, or let ffmpeg decode it: write ffmpeg: for file:"
    if all(isinstance(picture.error, PermissionError) for picture in bad):
        code, remedy = "no-permission", _permission()
    message = f"no picture of {path} can be shown: {reasons}"
    return _kind(path)(code, message, remedy=remedy)


def gone(error: SourceError) -> SourceGone:
    """Return the same of what could be played before, and so may be again."""
    return SourceGone(error.code, error.message, remedy=error.remedy, errno=error.errno)


def _permission() -> str:
    return f"let user id {os.geteuid()} read it"


def _kind(path: Path) -> type[SourceError]:
    try:
        fresh = time.time() - path.stat().st_mtime < _FRESH_S
    except OSError:
        fresh = True
    return SourceError if fresh else SourceUnusable
