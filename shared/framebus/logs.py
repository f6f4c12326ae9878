"""How a line of a log looks, for the daemon, the web tier and `framebus up` alike; it is harmless.

    2026-11-29 10:55:48.123 INFO front: opened /dev/video0

The time is local. The journal has its own, so lines that go there begin with the level.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping

from framebus import printable

_TIME = "%Y-%m-%d %H:%M:%S"


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


class Formatter(logging.Formatter):
    """Formats records as such lines; only a traceback has several. Without `timed` it has no time.

    `speaker` is who logs: the camera's name, or the part's.
    """

    def __init__(self, speaker: str, *, timed: bool) -> None:
        stamp = "%(asctime)s " if timed else ""
        # A camera's name has no %: nothing in it would be taken for a field.
        super().__init__(f"{stamp}%(levelname)s {speaker}: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802  logging's signature
        """Return the record's time, local, to the millisecond."""
        whole, milliseconds = divmod(int(record.created * 1000), 1000)
        return f"{time.strftime(_TIME, time.localtime(whole))}.{milliseconds:03d}"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line."""
        return printable.line(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802
        """Return the traceback."""
        return printable.lines(super().formatException(ei))  # type: ignore[arg-type]  # logging's own tuple


def to_stderr(speaker: str, level: str) -> None:
    """Have the process's log go to standard error. `level` is one of logging's names."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter(speaker, timed=not to_journal(2)))
    logging.basicConfig(level=level.upper(), handlers=[handler])
