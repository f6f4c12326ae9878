"""Snapshots without Flask and without a thread: in the worker's loop, for requests that are plain.

What is plain is decided by admission/plain_request.py, whom it is let through to by the authorizer
that stands before Flask's views too, and what a path means by the app's own routes. Whatever is not
wholly usual gets no answer here, and so goes the way of all requests: a camera without a fresh
frame, a query that asks for more, whoever is not let in.

For the worker's main thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from flask import Flask, Request
from framebus.errors import UsageError
from framebus.frame import Frame
from framebus.names import CameraNames
from werkzeug.exceptions import HTTPException

from web_workers.access.authorizer import PAGE, Authorizer, Passed
from web_workers.access.decisions import Decision, decision_of
from web_workers.admission.direct_answer import DirectAnswer
from web_workers.admission.pending_request import Connection
from web_workers.admission.plain_request import PLAIN_MAX, address_of, environ_of, is_last
from web_workers.cameras import snapshot
from web_workers.cameras.newest_frames import NewestFrames
from web_workers.pages import aliases, queries
from web_workers.responses.paths import make_tidy
from web_workers.settings import Cameras
from web_workers.wire import headers, multipart
from web_workers.wire.loop import StreamLoop

_CLOSE, _KEEP = b"Connection: close\r\n", b"Connection: keep-alive\r\n"
EXTENSION = "framebus.direct_snapshots"
"""Key of the app's extensions."""
_VIEWS = frozenset({"framebus.snapshot", "framebus.default_snapshot", PAGE})
_REMEMBERED = 64
"""So many requests are remembered, with what they mean: programs send the same bytes each time."""


class _Asked(NamedTuple):
    """What all requests of the same bytes and address ask for."""

    request: Request
    endpoint: str
    decision: Decision | None
    names: CameraNames
    last: bool
    """The connection is to be closed after the answer."""


class _Shared(NamedTuple):
    """What all who ask for one frame are sent of it."""

    picture: multipart.Picture
    before: bytes
    """Headers, up to those that tell when it is sent."""
    after: bytes


class DirectSnapshots:
    """One app's. It answers nothing before it is opened."""

    def __init__(self, app: Flask, authorizer: Authorizer, cameras: Cameras) -> None:
        self._app = app
        self._authorizer = authorizer
        self._cameras = cameras
        self._asked = lru_cache(_REMEMBERED)(self._read)
        self._frames: NewestFrames[_Shared] | None = None
        self._first = b""

    def open(self, loop: StreamLoop, server: str) -> None:
        """Answer from now on; `server` is how the server calls itself."""
        self._loop = loop
        self._first = b"HTTP/1.1 200 OK\r\n" + headers.lines([("Server", server)])
        self._frames = NewestFrames(loop, _shared)

    def answer(self, conn: Connection, request: bytes) -> DirectAnswer | None:
        """Return the answer to a request; None for one that goes the way of all."""
        if self._frames is None or len(request) > PLAIN_MAX:
            return None
        asked = self._asked(request, address_of(conn.client))
        if asked is None or not self._cameras.knows(asked.names.camera):
            return None
        judged = self._authorizer.judge(asked.request, asked.endpoint, asked.decision)
        if not isinstance(judged, Passed) or judged.in_vain is not None:
            return None
        shared = self._frames.fresh(asked.names)
        if shared is None:
            return None
        head = memoryview(self._head(shared, last=asked.last))
        whole = asked.request.method != "HEAD"
        return DirectAnswer([head, shared.picture.jpeg] if whole else [head], asked.last)

    def close(self) -> None:
        """Answer nothing any more."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    def _read(self, data: bytes, address: str) -> _Asked | None:
        """Return what a plain request for a camera's newest frame asks for; None for any other."""
        environ = environ_of(data, address)
        if environ is None:
            return None
        last = is_last(environ)
        make_tidy(environ)
        request = Request(environ)
        try:
            endpoint, arguments = self._app.url_map.bind("").match(request.path)
            camera = self._camera(endpoint, arguments, request.args)
            names = self._cameras.names(camera) if camera is not None else None
        except (HTTPException, UsageError, aliases.UnknownAction):
            return None  # Flask says so
        if names is None:
            return None
        request.view_args = dict(arguments)
        decision = decision_of(self._app.view_functions[endpoint])
        return _Asked(request, endpoint, decision, names, last)

    def _camera(
        self, endpoint: str, arguments: Mapping[str, str], query: Mapping[str, str]
    ) -> str | None:
        """Return the camera whose newest frame is asked for; raises what the views raise."""
        if endpoint not in _VIEWS:
            return None
        queries.flag(query, "placeholder")
        if queries.ago_s(query) is not None:
            return None
        if endpoint != PAGE:
            return arguments["name"]
        return self._cameras.default if aliases.action(query) == ("snapshot", 0) else None

    def _head(self, shared: _Shared, *, last: bool) -> bytes:
        return b"%b%b%b%b%b%b\r\n" % (
            self._first,
            headers.date_line(),
            _CLOSE if last else _KEEP,
            shared.before,
            headers.lines(multipart.sent_headers(shared.picture, self._loop.clock())),
            shared.after,
        )


def _shared(frame: Frame) -> _Shared:
    picture = multipart.Picture.of(frame)
    before = multipart.headers(picture) + multipart.grabbed_headers(picture)
    after = [("ETag", f'"{snapshot.etag(frame)}"'), *headers.HEADERS.items()]
    return _Shared(picture, headers.lines(before), headers.lines(after))
