"""gunicorn's logger, whose lines have no secrets in them, whatever a client has sent.

gunicorn quotes a request that it cannot read, or that fails, with its query.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from framebus.logs import Formatter, to_journal
from gunicorn.glogging import Logger

_QUERY = re.compile(r"(?<![a-z])(token|signed)(=|%3D)[^&\s'\"<>]*", re.IGNORECASE)
_HEADER = re.compile(r"\b(bearer|basic)(\s+|%20|:)[^\s'\",]+", re.IGNORECASE)
_COOKIE = re.compile(r"\b(framebus-[0-9a-f]{8})=[^;\s'\"]*")


def without_secrets(text: str) -> str:
    """Return a line of the log without what may be a token, a password or a session."""
    text = _QUERY.sub(r"\1\2***", text)
    text = _HEADER.sub(r"\1\2***", text)
    return _COOKIE.sub(r"\1=***", text)


class _Formatter(logging.Formatter):
    """What another formatter says, without secrets; tracebacks included."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(self._inner.format(record))


class GuardedLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's logger with that formatter on every handler."""

    def setup(self, cfg: Any) -> None:
        """Prepare the handlers, at the start and at a reload."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                if not isinstance(handler.formatter, _Formatter):
                    handler.setFormatter(_Formatter(handler.formatter or logging.Formatter()))

    def _set_handler(
        self, log: logging.Logger, output: str | None, fmt: logging.Formatter, stream: Any = None
    ) -> None:
        """Make a handler, as gunicorn does; lines on standard error look like the daemon's."""
        if log is self.error_log and output == "-":
            fmt = Formatter("web[%(process)d]", timed=not to_journal(2))
        super()._set_handler(log, output, fmt, stream)
