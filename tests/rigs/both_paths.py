"""One app, asked over both ways to it: gunicorn's parser and Flask, and the worker's own loop."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from gunicorn import SERVER, http
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException

from tests.rigs.request_reader import Conn
from web_workers import gunicorn_conf
from web_workers.admission.direct_answer import DirectAnswer
from web_workers.pages.direct_snapshots import EXTENSION, DirectSnapshots
from web_workers.wire.loop import StreamLoop

CLIENT = ("127.0.0.1", 40_000)
_VARY = re.compile(rb"(Date|X-UStreamer-Send-Time|X-UStreamer-Latency): [^\r]*")


class _Sink:
    """A socket that keeps what is sent, and has nothing to say."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    send = sendall


class BothPaths:
    """`direct` and `threaded` return a response's bytes without what differs by the moment."""

    def __init__(self, app: Flask) -> None:
        self.loop = StreamLoop()
        self._app = app
        self._direct: DirectSnapshots = app.extensions[EXTENSION]
        self._direct.open(self.loop, SERVER)
        self._config = Config()
        for name in ("forwarded_allow_ips", "secure_scheme_headers", "forwarder_headers"):
            self._config.set(name, getattr(gunicorn_conf, name))

    def answer(self, request: bytes, client: object = CLIENT) -> DirectAnswer | None:
        conn: Any = Conn(None, "")  # type: ignore[arg-type]  # nothing is sent
        conn.client = client
        return self._direct.answer(conn, request)

    def direct(self, request: bytes, client: object = CLIENT) -> bytes | None:
        answer = self.answer(request, client)
        if answer is None:
            return None
        return _without_moment(b"".join(answer.pieces))

    def parsed(self, request: bytes, client: object = CLIENT) -> Any:
        """Return gunicorn's request, None for one that it refuses."""
        try:
            return next(http.get_parser(self._config, iter((request,)), client))
        except (ParseException, StopIteration):
            return None

    def environ(self, request: bytes, client: object = CLIENT) -> dict[str, Any] | None:
        """Return what gunicorn makes of a request."""
        parsed = self.parsed(request, client)
        if parsed is None:
            return None
        made: dict[str, Any] = wsgi.create(
            parsed, _Sink(), client, ("127.0.0.1", 80), self._config
        )[1]
        return made

    def threaded(self, request: bytes, client: object = CLIENT) -> bytes | None:
        parsed = self.parsed(request, client)
        if parsed is None:
            return None
        sink = _Sink()
        response, environ = wsgi.create(parsed, sink, client, ("127.0.0.1", 80), self._config)
        for item in self._app(environ, response.start_response):
            response.write(item)
        response.close()
        return _without_moment(sink.sent)

    def close(self) -> None:
        self._direct.close()
        self.loop.close()


def _without_moment(response: bytes) -> bytes:
    head, end, body = response.partition(b"\r\n\r\n")
    return _VARY.sub(rb"\1: now", head) + end + body


def get(path: str = "/snapshot", *headers: str, method: str = "GET", host: str = "x") -> bytes:
    """A request; `host` is its Host."""
    lines = (f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", "")
    return "\r\n".join(lines).encode("latin-1")
