"""StreamWorker: gunicorn's threaded worker, whose endless responses need no thread.

A view that answers with a `TakenOverResponse` makes the response's body raise `TakeOver` in the
request thread; the worker catches it there, and when gunicorn's main thread finishes the request
it keeps the socket for its own event loop instead of closing it. gunicorn's poller is nested in
that loop through one descriptor, so a frame on its way to viewers passes none of gunicorn's code.
Everything else is gunicorn's: accepting, parsing, short requests, heartbeats, signals.

What is relied on in gunicorn 26 and 27 (workers/gthread.py): `handle_request` lets an exception
through that is raised before anything was sent; `finish_request` and
`wait_for_and_dispatch_events` run in the main thread; `nr_conns` counts open connections; `alive`
turns false when the worker is to end, and `run` returns when requests under way are done.
"""

from __future__ import annotations

import errno
import os
import select
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from web_workers.access.errors import GuardedErrors
from web_workers.handover.shared import LAYOUT, Shared
from web_workers.limits import raise_descriptor_limit
from web_workers.linger import linger
from web_workers.settings import Cameras, Settings
from web_workers.streams import WorkerStreams
from web_workers.takeover import TakeOver, announce

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ACCEPT_PAUSE_S = 0.5
_KEEPALIVE_S = 1.5  # for requests on idle connections after the worker was told to end


class StreamWorker(GuardedErrors):
    """A threaded worker with an event loop for viewers. Never made: a FreshWorker becomes one."""

    shared: Shared

    def init_process(self) -> None:
        """Set up after the fork, then run until the end. Called once."""
        raise_descriptor_limit()
        self._taken: dict[Any, TakeOver] = {}  # by connection, until its request is finished
        self._accept_from = 0.0  # monotonic seconds; before that nothing is accepted
        shared = self.shared
        if shared.layout != LAYOUT:
            self.log.warning("this version shares nothing with workers of the running one: restart")
            shared = Shared.create()
        cameras = Cameras(Settings.from_environ())
        self._streams = WorkerStreams(cameras=cameras, shared=shared, age=self.age)
        try:
            super().init_process()
        finally:
            self._streams.close()

    def load_wsgi(self) -> None:
        """Load the app, and let it know where it runs."""
        super().load_wsgi()
        self.wsgi: WSGIApplication = announce(self.wsgi, self._streams, plain=not self.cfg.is_ssl)

    def run(self) -> None:
        """Serve until told to stop."""
        loop = self._streams.loop
        loop.add(self.poller.fileno(), select.EPOLLIN, lambda _: loop.stop())
        self._streams.porter.open()
        super().run()
        if os.getppid() != self.ppid:
            return  # gunicorn's master is gone: there is no other worker, and will be none
        self._leave()
        while not self._streams.porter.empty:
            self.notify()
            loop.dispatch(loop.timeout_s(1.0))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Serve viewers until there is something for gunicorn to do, then let it do that."""
        if not self.alive:
            self._leave()
        self._streams.porter.seen()
        self._streams.loop.run(timeout)
        super().wait_for_and_dispatch_events(0)

    def _leave(self) -> None:
        """Have the viewers served by others: this worker was told to end, or is to be replaced.

        When all of them end there is nobody to take what was given away, and the kernel closes it.
        """
        self._streams.porter.leave()
        for conn in self.keepalived_conns:
            conn.timeout = min(conn.timeout, time.monotonic() + _KEEPALIVE_S)

    def accept(self, listener: Any) -> None:
        """Accept a connection; without a descriptor left for it, pause instead of ending."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            self.log.warning("cannot accept: %s; viewers stay, trying again", error.strerror)
            self._accept_from = time.monotonic() + _ACCEPT_PAUSE_S
            self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Start or stop accepting, as gunicorn's loop asks in each round."""
        if not enabled or time.monotonic() >= self._accept_from:
            super().set_accept_enabled(enabled)

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Handle one request, in a request thread."""
        try:
            kept: bool = super().handle_request(req, conn)
        except TakeOver as taken:
            self._taken[conn] = taken
            return False
        return kept

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Decide in the main thread what becomes of a connection after a request."""
        taken = self._taken.pop(conn, None)
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
        elif taken is None:
            # gunicorn would wait here, in the main thread, until the client closes: up to 2 s.
            linger(self._streams.loop, conn.sock, self._connection_closed)
        else:
            self._connection_closed()  # viewers do not count against worker_connections
            self._take_over(conn, taken)

    def _take_over(self, conn: Any, taken: TakeOver) -> None:
        try:
            self._streams.take_over(conn.sock, _peer(conn.client), taken)
        except OSError as error:
            self.log.debug("viewer gone before it was served: %s", error)
            conn.close()

    def _connection_closed(self) -> None:
        self.nr_conns -= 1
        self._streams.loop.stop()  # gunicorn may be waiting for just this


def _peer(address: Any) -> str:
    """Return a client's address for people."""
    if isinstance(address, tuple):
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return "unix"
