"""How a Flask view hands its connection to the worker's event loop: words that both use.

A view returns a `TakenOverResponse`. Where the server is a StreamWorker (it says so in the WSGI
environment) the response's body raises `TakeOver` before its first item; nothing has been sent by
then, and the worker catches it and keeps the socket. Under any other server, and for HEAD, the
same response is an ordinary one with a generator for its body.

This file knows neither gunicorn nor cameras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from flask import Response

from web_workers.admission.viewer_limits import RETRY_AFTER_S, Admission
from web_workers.capacity import THREAD_SLOTS
from web_workers.counts.worker_counts import WorkerCounts
from web_workers.responses.problems import problem
from web_workers.viewers.thread_slots import ThreadSlots, let_go_of_stalled
from web_workers.wire.headers import closing_head
from web_workers.wire.multipart import Style

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STREAMS = "framebus.streams"
"""Key of the WSGI environment under which a StreamWorker names itself, as `Streams`."""
ADMISSION = "framebus.admission"
"""Key of the viewer's `Admission`, from when it was let in until its connection is taken over."""
TAKES_OVER = "framebus.takes_over"
"""Key that is true when this very connection can be taken over: plain HTTP/1, not TLS."""
thread_slots = ThreadSlots()
"""Of this process."""


class Streams(Protocol):
    """What the app may ask the worker that it runs in."""

    def viewers(self, camera: str) -> list[dict[str, object]]:
        """Return the counters of this worker's viewers of a camera's frames."""

    def worker_counts(self) -> tuple[WorkerCounts, int]:
        """Return what all workers that ever were have counted, and how many live."""

    def server(self) -> dict[str, object]:
        """Return the document of an event `server` (docs/http.md)."""

    def admit(self, ticket: Ticket, address: str | None) -> Admission:
        """Admit a viewer; raises LimitReached."""


@dataclass(frozen=True, slots=True)
class FrameTicket:
    """A viewer asks for a camera's frames."""

    camera: str
    style: Style = Style.PLAIN
    fps: float | None = None
    """At most so many a second; None for all."""
    dual_final: bool = False
    """Send the last frame before a pause twice (WebKit painted it late)."""


@dataclass(frozen=True, slots=True)
class EventTicket:
    """A viewer asks for the state of cameras, live; `camera` None means all."""

    camera: str | None


Ticket = FrameTicket | EventTicket


class TakeOver(Exception):
    """Raised through the WSGI server: `head` is to be sent, then `ticket` served."""

    def __init__(self, head: bytes, ticket: Ticket, admission: Admission | None = None) -> None:
        super().__init__("the connection goes to the worker's event loop")
        self.head = head
        self.ticket = ticket
        self.admission = admission

    def release(self) -> None:
        """Give up the admission: nobody is served, or no longer."""
        if self.admission is not None:
            self.admission.release()


class TakenOverResponse(Response):
    """An endless response, served by the event loop where there is one."""

    automatically_set_content_length = False

    def __init__(
        self, ticket: Ticket, fallback: Callable[[], Iterator[bytes]], *, content_type: str
    ) -> None:
        """Answer `ticket`; `fallback` makes the body where nobody takes the connection over."""
        super().__init__(content_type=content_type)
        self._ticket = ticket
        self._fallback = fallback

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Begin the response, as WSGI has it."""
        if environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(environ, start_response)
        if not environ.get(TAKES_OVER):
            return self._threaded(environ, start_response)
        headers = self.get_wsgi_headers(environ).to_wsgi_list()
        start_response(self.status, headers)
        admission: Admission | None = environ.pop(ADMISSION, None)
        return _raising(TakeOver(closing_head(self.status, headers), self._ticket, admission))

    def _threaded(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve this viewer from the thread that it came in."""
        admission: Admission | None = environ.get(ADMISSION)
        slot = thread_slots.take(
            self._fallback, admission.release if admission is not None else None
        )
        if slot is None:
            self._refuse()
            return super().__call__(environ, start_response)
        environ.pop(ADMISSION, None)
        let_go_of_stalled(environ.get("gunicorn.socket"))
        start_response(self.status, self.get_wsgi_headers(environ).to_wsgi_list())
        return slot

    def _refuse(self) -> None:
        """Become the answer to a viewer for whom there is no thread."""
        refusal = problem(
            503,
            "no-threads",
            f"there are threads for {THREAD_SLOTS} viewers here, and no more are let in",
            remedy="ask again when somebody has left; for more a proxy does the TLS (deploy/nginx)",
        )
        self.status_code, self.content_type = refusal.status_code, refusal.content_type
        self.data = refusal.get_data()
        self.headers["Retry-After"] = str(RETRY_AFTER_S)


def announce(app: WSGIApplication, streams: Streams, plain: bool) -> WSGIApplication:
    """Wrap `app` so that it knows it runs in a StreamWorker; `plain` sockets can be taken over."""

    def announced(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[STREAMS] = streams
        environ[TAKES_OVER] = plain and environ["SERVER_PROTOCOL"].startswith("HTTP/1")
        try:
            return app(environ, start_response)
        finally:
            admission: Admission | None = environ.pop(ADMISSION, None)
            if admission is not None:  # let in, and something went wrong after that
                admission.release()

    return announced


def _raising(error: TakeOver) -> Iterator[bytes]:
    raise error
    yield b""  # makes this a generator: it raises when the first item is asked for, not before
