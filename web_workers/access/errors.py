"""gunicorn's own error pages, for requests that it does not understand, with our headers.

What is relied on in gunicorn 26 and 27 (workers/base.py, workers/gthread.py): `handle_error` writes
the page to the socket that it is given, in one `sendall`; `notify` is called about once a second.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from web_workers.access.client_log_filter import ClientLogFilter, caused_by_client
from web_workers.access.logs import guard
from web_workers.admission.origin import origin_of
from web_workers.wire.headers import HTML

_END = b"\r\n\r\n"
_LINES = "".join(f"\r\n{name}: {value}" for name, value in HTML.items()).encode()


class GuardedErrors(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker whose every answer has the headers, and whose log no client fills."""

    def init_process(self) -> None:
        """Set up after the fork, then run until the end. Called once."""
        self._client_log_filter = ClientLogFilter()
        guard((self.log.error_log, self.log.access_log), self._client_log_filter)
        # What Flask and others log of a request goes the same way.
        logging.getLogger().handlers = list(self.log.error_log.handlers)
        try:
            super().init_process()
        finally:
            self._sum_up(self._client_log_filter.summary(ending=True))

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that is none."""
        with caused_by_client(origin_of(addr), type(exc).__name__):
            super().handle_error(req, _Guarded(client), addr, exc)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Handle a request, on which a client can make much be logged."""
        with caused_by_client(origin_of(conn.client)):
            return super().handle_request(req, conn)

    def notify(self) -> None:
        """Tell the master that all is well, as at least once a second."""
        super().notify()
        self._sum_up(self._client_log_filter.summary())

    def _sum_up(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.log.warning("%s", line)


class _Guarded:
    """A socket that adds the headers to the first head that is sent."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def sendall(self, data: bytes) -> None:
        head, end, body = data.partition(_END)
        self._sock.sendall(head + _LINES + end + body if end else data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
