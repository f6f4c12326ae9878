"""How a line of a log looks, for the daemon, the web tier and `framebus up` alike; it is harmless.

    2026-11-29 10:55:48.123 INFO front: opened /dev/video0

The time is local. The journal has its own, so lines that go there begin with the level.
"""

from __future__ import annotations

import logging
import sys

from framebus import printable
from framebus.log_lines import stamp, to_journal


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
        return stamp(record.created)

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
