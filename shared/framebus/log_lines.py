"""How a line of a log begins, for whoever writes one: with or without Python's logging.

    2026-11-29 10:55:48.123 INFO front: opened /dev/video0

The time is local. The journal has its own, so lines that go there begin with the level.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def to_journal(fd: int, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a descriptor leads to systemd's journal (systemd.exec(5), JOURNAL_STREAM).

    The variable alone says little: what is started from a desktop inherits it.
    """
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(fd)
    except OSError:
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))


def stamp(time_s: float) -> str:
    """Return a time, seconds since 1970, local and to the millisecond."""
    whole, milliseconds = divmod(int(time_s * 1000), 1000)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(whole))}.{milliseconds:03d}"


def prefix(speaker: str, level: str, time_s: float | None) -> str:
    """Return how a line begins; `time_s` is None where the journal tells the time.

    `speaker` is who logs: the camera's name, or the part's.
    """
    timed = "" if time_s is None else f"{stamp(time_s)} "
    return f"{timed}{level} {speaker}: "
