"""Snapshots without Flask and without a thread: in the worker's loop, for requests that are plain.

What is plain is decided by admission/plain_request.py, whom it is let through to by the authorizer
that stands before Flask's views too, and what a path means by the app's own routes. Whatever is not
wholly usual gets no answer here, and so goes the way of all requests: a camera without a fresh
frame, a query that asks for more, whoever is not let in.

For the worker's main thread.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from flask import Flask, Request
from framebus.errors import UsageError
from framebus.frame import Frame
from werkzeug.exceptions import HTTPException

from web_workers.access.authorizer import PAGE, Authorizer, Passed
from web_workers.access.decisions import decision_of
from web_workers.admission import plain_request
from web_workers.admission.direct_answer import DirectAnswer
from web_workers.admission.pending_request import Connection
from web_workers.cameras import snapshot
from web_workers.cameras.newest_frames import NewestFrames
from web_workers.pages import aliases, queries
from web_workers.responses.paths import make_tidy
from web_workers.settings import Cameras
from web_workers.wire import headers, multipart
from web_workers.wire.loop import StreamLoop

EXTENSION = "framebus.direct_snapshots"
"""Key of the app's extensions."""
_VIEWS = frozenset({"framebus.snapshot", "framebus.default_snapshot", PAGE})
_PATHS = 64
"""So many are remembered, with what they mean."""


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
        self._meaning = lru_cache(_PATHS)(self._match)
        self._frames: NewestFrames[_Shared] | None = None
        self._first = b""

    def open(self, loop: StreamLoop, server: str) -> None:
        """Answer from now on; `server` is how the server calls itself."""
        self._loop = loop
        self._first = b"HTTP/1.1 200 OK\r\n" + headers.lines([("Server", server)])
        self._frames = NewestFrames(loop, _shared)

    def answer(self, conn: Connection, request: bytes) -> DirectAnswer | None:
        """Return the answer to a request; None for one that goes the way of all."""
        environ = plain_request.environ_of(request, conn.client)
        if environ is None or self._frames is None:
            return None
        last = plain_request.is_last(environ)
        make_tidy(environ)
        meaning = self._meaning(environ["PATH_INFO"])
        if meaning is None:
            return None
        camera = self._let_through(Request(environ), *meaning)
        if camera is None:
            return None
        shared = self._frames.fresh(self._cameras.names(camera))
        if shared is None:
            return None
        head = self._head(shared, last=last)
        if environ["REQUEST_METHOD"] == "HEAD":
            return DirectAnswer([memoryview(head)], last)
        return DirectAnswer([memoryview(head), shared.picture.jpeg], last)

    def close(self) -> None:
        """Answer nothing any more."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    def _match(self, path: str) -> tuple[str, str | None] | None:
        """Return the view that a path leads to, and its camera, if it is one that can be asked."""
        try:
            endpoint, arguments = self._app.url_map.bind("").match(path)
        except HTTPException:
            return None
        return (endpoint, arguments.get("name")) if endpoint in _VIEWS else None

    def _let_through(self, request: Request, endpoint: str, camera: str | None) -> str | None:
        """Return the camera whose newest frame a request is to get, None if it is another's."""
        request.view_args = {} if camera is None else {"name": camera}
        decision = decision_of(self._app.view_functions[endpoint])
        judged = self._authorizer.judge(request, endpoint, decision)
        if not isinstance(judged, Passed) or judged.in_vain is not None:
            return None
        query = request.args if request.query_string else {}
        try:
            if camera is None:
                if aliases.action(query) != ("snapshot", 0):
                    return None
                camera = self._cameras.default
            queries.flag(query, "placeholder")  # if it is none, Flask says so
            if queries.ago_s(query) is not None:
                return None
        except (aliases.UnknownAction, UsageError):
            return None
        return camera if self._cameras.knows(camera) else None

    def _head(self, shared: _Shared, *, last: bool) -> bytes:
        connection = "close" if last else "keep-alive"
        return b"%b%b%b%b%b\r\n" % (
            self._first,
            headers.lines([("Date", headers.date()), ("Connection", connection)]),
            shared.before,
            headers.lines(multipart.sent_headers(shared.picture, self._loop.clock())),
            shared.after,
        )


def _shared(frame: Frame) -> _Shared:
    picture = multipart.Picture.of(frame)
    before = multipart.headers(picture) + multipart.grabbed_headers(picture)
    after = [("ETag", f'"{snapshot.etag(frame)}"'), *headers.HEADERS.items()]
    return _Shared(picture, headers.lines(before), headers.lines(after))
