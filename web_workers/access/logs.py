"""gunicorn's logger, whose lines have no secrets in them, whatever a client has sent.

gunicorn quotes a request that it cannot read, or that fails, with its query. So each line is made
harmless for terminals as well, cut, and, where clients can cause it, written once in a while.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

from framebus import printable
from framebus.log_lines import to_journal
from framebus.logs import Formatter
from gunicorn.glogging import Logger

from web_workers.access.client_log_filter import ClientLogFilter

_LINE_MAX = 1000
"""Characters of a line; of a traceback it is what comes before it."""

_QUERY = re.compile(r"(?<![a-z])(token|signed)(=|%3D)[^&\s'\"<>]*", re.IGNORECASE)
_HEADER = re.compile(r"\b(bearer|basic)(\s+|%20|:)[^\s'\",]+", re.IGNORECASE)
_COOKIE = re.compile(r"\b(framebus-[0-9a-f]{8})=[^;\s'\"]*")


def without_secrets(text: str) -> str:
    """Return a line of the log without what may be a token, a password or a session."""
    text = _QUERY.sub(r"\1\2***", text)
    text = _HEADER.sub(r"\1\2***", text)
    return _COOKIE.sub(r"\1=***", text)


class _Formatter(logging.Formatter):
    """What another formatter says, without secrets and escape sequences; tracebacks included."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        plain = logging.makeLogRecord(record.__dict__)
        plain.msg, plain.args = _cut(printable.line(record.getMessage())), None
        return without_secrets(printable.lines(self.inner.format(plain)))


def _cut(text: str) -> str:
    return text if len(text) <= _LINE_MAX else f"{text[:_LINE_MAX]}… ({len(text)} characters)"


class GuardedLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's logger with that formatter on every handler."""

    def setup(self, cfg: Any) -> None:
        """Prepare the handlers, at the start and at a reload."""
        super().setup(cfg)
        guard((self.error_log, self.access_log))

    def _set_handler(
        self, log: logging.Logger, output: str | None, fmt: logging.Formatter, stream: Any = None
    ) -> None:
        """Make a handler, as gunicorn does; lines on standard error look like the daemon's."""
        if log is self.error_log and output == "-":
            fmt = Formatter("web[%(process)d]", timed=not to_journal(2))
        super()._set_handler(log, output, fmt, stream)


def guard(logs: Iterable[logging.Logger], client_log_filter: ClientLogFilter | None = None) -> None:
    """Give the handlers that formatter, and a limit of what clients can cause.

    A worker does so again: its code may be newer than that of gunicorn's master
    (reloading_worker.py), and what it knows of requests is not known there.
    """
    for log in logs:
        for handler in log.handlers:
            inner = getattr(handler.formatter, "inner", handler.formatter)
            handler.setFormatter(_Formatter(inner or logging.Formatter()))
            if client_log_filter is not None:
                handler.filters = [client_log_filter]
