"""StreamWorker: gunicorn's threaded worker, whose endless responses need no thread.

A view that answers with a `TakenOverResponse` makes the response's body raise `TakeOver` in the
request thread; the worker catches it there, and when gunicorn's main thread finishes the request
it keeps the socket for its own event loop instead of closing it. gunicorn's poller is nested in
that loop through one descriptor, so a frame on its way to viewers passes none of gunicorn's code.
Everything else is gunicorn's: accepting, parsing, short requests, heartbeats, signals.

No thread waits for a client either (admission/): a request is read to its end in the main loop
before a thread gets it, and what the kernel does not take of a response is sent there afterwards.

What is relied on in gunicorn 26 and 27 (workers/gthread.py): `handle_request` lets an exception
through that is raised before anything was sent; `finish_request` and
`wait_for_and_dispatch_events` run in the main thread; `nr_conns` counts open connections; `alive`
turns false when the worker is to end, and `run` returns when requests under way are done; a
connection that is `initialized` is given to its `parser` as it is, and a parser over an iterable
reads no socket; `wsgi.create` writes "100 Continue" if a request's `_expected_100_continue` is set.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from framebus.errors import SHORTAGES
from gunicorn import SERVER, http
from gunicorn.sock import ssl_context
from gunicorn.workers.gthread import TConn

from web_workers.access.errors import GuardedErrors
from web_workers.admission.buffered_socket import BufferedSocket
from web_workers.admission.connection_limits import ConnectionLimits, raise_descriptor_limit
from web_workers.admission.direct_answer import DirectAnswer
from web_workers.admission.request_threads import RequestThreads
from web_workers.handover.channel import close_what_waits
from web_workers.handover.lanes import Lanes
from web_workers.handover.shared import LAYOUT, Shared
from web_workers.pages.direct_snapshots import EXTENSION, DirectSnapshots
from web_workers.parts import Parts
from web_workers.responses.takeover import TakeOver, announce, thread_slots
from web_workers.settings import Settings
from web_workers.worker_table import WorkerTable

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_ACCEPT_AT_ONCE = 8
_ACCEPT_PAUSE_S = 0.5
_WRITE_S = 10.0
"""How long a thread may take to write over TLS, seconds."""
_END_NS = 1_500_000_000
"""A worker that ends waits so long for requests that clients may be sending."""


class _Client(TConn):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's connection, and what the request reader keeps of it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.ahead = bytearray()
        self.last = False


class StreamWorker(GuardedErrors):
    """A threaded worker with an event loop for viewers. A ReloadingWorker becomes one."""

    shared: Shared
    row: int

    def init_process(self) -> None:
        """Set up after the fork, then run until the end. Called once."""
        raise_descriptor_limit()
        self._taken: dict[Any, TakeOver] = {}  # by connection, until its request is finished
        self._direct: DirectSnapshots | None = None
        self._accept_from = 0.0  # monotonic seconds; before that nothing is accepted
        shared = self.shared
        others_lanes: Lanes = ()
        if shared.layout == LAYOUT:
            table = WorkerTable(shared.table, row=self.row)
        else:
            self.log.warning("this version shares nothing with workers of the running one: restart")
            shared, others_lanes = Shared.create(), shared.lanes
            table = WorkerTable(shared.table)
            table.claim()
        self._parts = Parts(
            Settings.from_environ(),
            table=table,
            lanes=shared.lanes,
            age=self.age,
            connections=ConnectionLimits.of(self.worker_connections),
            keep_alive_s=self.cfg.keepalive,
            tls=ssl_context(self.cfg) if self.cfg.is_ssl else None,
            answer=self._answer,
            serve=self._serve,
            closed=self._connection_closed,
        )
        for _, take in others_lanes:
            self._parts.loop.add(take, select.EPOLLIN, lambda _: close_what_waits(others_lanes))
        try:
            super().init_process()
        finally:
            if self._direct is not None:
                self._direct.close()
            self._parts.close()

    def get_thread_pool(self) -> RequestThreads:
        """Return the threads for requests."""
        return RequestThreads(self.cfg.threads)

    def load_wsgi(self) -> None:
        """Load the app, and let it know where it runs."""
        super().load_wsgi()
        direct = getattr(self.wsgi, "extensions", {}).get(EXTENSION)
        if direct is not None and _usual(self.cfg):
            self._direct = direct
            direct.open(self._parts.loop, SERVER)
        self.wsgi: WSGIApplication = announce(
            self.wsgi, self._parts.streams, plain=not self.cfg.is_ssl
        )

    def run(self) -> None:
        """Serve until told to stop."""
        loop = self._parts.loop
        loop.add(self.poller.fileno(), select.EPOLLIN, lambda _: loop.stop())
        # A signal's handler runs when Python does next, which the pump alone would not have it do.
        loop.add(self.PIPE[0], select.EPOLLIN, lambda _: self._signalled())
        self._parts.handover.open()
        super().run()
        self._end_threaded()
        if os.getppid() != self.ppid:
            return  # gunicorn's master is gone: there is no other worker, and will be none
        self._leave()
        while not self._parts.handover.empty:
            self.notify()
            loop.dispatch(loop.timeout_s(1.0))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Serve viewers until there is something for gunicorn to do, then let it do that."""
        if not self.alive:
            self._leave()
        self._parts.registry.seen(self._parts.loop.clock())
        self._parts.handover.balance()
        self._parts.loop.run(timeout)
        super().wait_for_and_dispatch_events(0)

    def _signalled(self) -> None:
        """Read what Python has written for each signal (signal.set_wakeup_fd)."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.PIPE[0], 4096)

    def _leave(self) -> None:
        """Have the viewers served by others: this worker was told to end, or is to be replaced.

        When all of them end there is nobody to take what was given away, and the kernel closes it.
        """
        self._parts.handover.leave()
        self._parts.request_reader.end(_END_NS)
        self._end_threaded()

    def _end_threaded(self) -> None:
        """Have the viewers leave that are bound to a thread of this worker, and so to it."""
        if thread_slots.end():
            self._parts.registry.lose()

    def accept(self, listener: Any) -> None:
        """Accept a few connections: a round of gunicorn's loop is dearer than one of them."""
        server = listener.getsockname()
        for _ in range(min(_ACCEPT_AT_ONCE, self.worker_connections - self.nr_conns)):
            accepted = self._accepted(listener)
            if accepted is None:
                return
            sock, address = accepted
            self.nr_conns += 1
            plain = sock if self.cfg.is_ssl else BufferedSocket(sock)
            self._parts.request_reader.accepted(_Client(self.cfg, plain, address, server))

    def _accepted(self, listener: Any) -> tuple[Any, Any] | None:
        """Accept a connection; without a descriptor left for it, pause instead of ending."""
        try:
            sock, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None  # another worker was faster, or the client has gone
        except OSError as error:
            if error.errno not in SHORTAGES:
                raise
            self.log.warning("cannot accept: %s; viewers stay, trying again", error.strerror)
            self._accept_from = time.monotonic() + _ACCEPT_PAUSE_S
            self.set_accept_enabled(False)
            return None
        return sock, address

    def set_accept_enabled(self, enabled: bool) -> None:
        """Start or stop accepting, as gunicorn's loop asks in each round."""
        if not enabled or time.monotonic() >= self._accept_from:
            super().set_accept_enabled(enabled)

    def _answer(self, conn: Any, request: bytes) -> DirectAnswer | None:
        """Return the answer to a request that needs no thread."""
        return self._direct.answer(conn, request) if self._direct is not None else None

    def _serve(self, conn: Any, request: bytes) -> None:
        """Have a request answered by a thread."""
        conn.parser = http.get_parser(self.cfg, iter((request,)), conn.client)
        conn.initialized = True
        self.enqueue_req(conn)

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Handle one request, in a request thread."""
        # The request reader has told who waited for it. gunicorn would say it once more, by a
        # `send` that waits for a client that reads nothing: the thread would be gone for good.
        req._expected_100_continue = False
        if self.cfg.is_ssl:
            conn.sock.settimeout(_WRITE_S)
        try:
            kept: bool = super().handle_request(req, conn)
        except TakeOver as taken:
            self._taken[conn] = taken
            return False
        except TimeoutError:
            self.log.debug("a client took nothing of its response for %s s", _WRITE_S)
            return False
        return kept

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Decide in the main thread what becomes of a connection after a request."""
        taken = self._taken.pop(conn, None)
        done = not fs.cancelled() and fs.exception() is None
        if taken is not None and done:
            self._connection_closed()  # viewers do not count against worker_connections
            self._take_over(conn, taken)
            return
        if taken is not None:
            taken.release()
        # Bytes that the parser left over: it saw another end than the request reader did.
        if done and fs.result() and not conn.last and not conn.parser.unreader.buf.getvalue():
            self._parts.response_drain.flush(conn, self._parts.request_reader.returned)
        else:
            # gunicorn would wait here, in the main thread, until the client closes: up to 2 s.
            self._parts.response_drain.flush(conn, self._parts.response_drain.linger)

    def _take_over(self, conn: Any, taken: TakeOver) -> None:
        try:
            self._parts.viewers.take_over(conn.sock, _peer(conn.client), taken)
        except OSError as error:
            self.log.debug("viewer gone before it was served: %s", error)
            conn.close()

    def _connection_closed(self) -> None:
        self.nr_conns -= 1
        if not self._accepting or not self.alive:
            self._parts.loop.stop()  # gunicorn is waiting for just this


def _usual(cfg: Any) -> bool:
    """Whether gunicorn does nothing with a request that its `handle_request` alone can do."""
    return not (
        cfg.is_ssl
        or cfg.accesslog
        or cfg.statsd_host
        or cfg.max_requests
        or cfg.proxy_protocol not in (False, "off")
        or not cfg.keepalive
        or os.environ.get("SCRIPT_NAME")
    )


def _peer(address: Any) -> str:
    """Return a client's address for people."""
    if isinstance(address, tuple):
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return "unix"
