"""gunicorn's own error pages, for requests that it does not understand, with our headers.

What is relied on in gunicorn 26 and 27 (workers/base.py): `handle_error` writes the page to the
socket that it is given, in one `sendall`.
"""

from __future__ import annotations

import socket
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from web_workers.wire.headers import HTML

_END = b"\r\n\r\n"
_LINES = "".join(f"\r\n{name}: {value}" for name, value in HTML.items()).encode()


class GuardedErrors(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker whose every answer has the headers."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that is none."""
        super().handle_error(req, _Guarded(client), addr, exc)


class _Guarded:
    """A socket that adds the headers to the first head that is sent."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def sendall(self, data: bytes) -> None:
        head, end, body = data.partition(_END)
        self._sock.sendall(head + _LINES + end + body if end else data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
