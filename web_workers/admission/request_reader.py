"""Reads requests in the worker's loop, so that no thread ever waits for a client to finish one.

A connection is here from its accept until its request is there to the last byte, and again between
two requests. A request has ten seconds from the accept, or from its first byte on a connection that
was kept; so many connections may be under way, and the one that waited longest goes for a new one
(evicting_set.py). Of TLS the handshake is done here as well.

What can be answered at once (`answer`) is, without a thread: one request of a connection in a turn,
and then it is the turn of others. All else goes to `serve`.

Runs in the worker's main thread. It knows nothing of gunicorn but that a connection has a `sock`
and a `client`: `serve` is called with a connection and its request, `closed` once for each that is
closed here.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable

from web_workers.admission.direct_answer import DirectAnswer, Pieces, send
from web_workers.admission.error_response import response
from web_workers.admission.evicting_set import EvictingSet
from web_workers.admission.pending_request import Connection, PendingRequest
from web_workers.admission.request_framing import RequestRefused
from web_workers.wire.bounded_events import BoundedEvents

REQUEST_NS = 10_000_000_000
"""In which a request must be there. One that came halfway across the world in pieces took one or
two seconds."""
LATE, DISPLACED = "late", "displaced"
"""Why a connection was dropped: its request was not there in time, or there were too many."""


class RequestReader:
    """The connections of one worker whose requests are not there yet."""

    def __init__(
        self,
        *,
        loop: BoundedEvents,
        half_open: int,
        kept: int,
        keep_ns: int,
        answer: Callable[[Connection, bytes], DirectAnswer | None],
        serve: Callable[[Connection, bytes], None],
        send_rest: Callable[[Connection, Pieces, Callable[[Connection], None]], None],
        leave: Callable[[Connection], None],
        closed: Callable[[], None],
        dropped: Callable[[str], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`half_open` and `kept` are how many may wait within a request and between two.

        A kept connection waits for `keep_ns`. `answer` returns the response to a request, or None:
        `serve` gets it then. `send_rest` gets what the client did not take of a response, and what
        is done with the connection afterwards; `leave` a connection that was answered here and is
        to be closed politely; `dropped` is told LATE or DISPLACED.
        """
        self._loop = loop
        self._half_open: EvictingSet[PendingRequest] = EvictingSet(half_open)
        self._kept: EvictingSet[PendingRequest] = EvictingSet(kept)
        self._keep_ns = keep_ns
        self._answer = answer
        self._serve = serve
        self._send_rest = send_rest
        self._leave = leave
        self._closed = closed
        self._dropped = dropped
        self._tls = tls
        self._until_ns: int | None = None  # the worker ends: nobody waits for longer

    def __len__(self) -> int:
        return len(self._half_open) + len(self._kept)

    def accepted(self, conn: Connection) -> None:
        """Take in a new connection."""
        conn.sock.setblocking(False)
        handshaking = self._tls is not None
        if self._tls is not None:
            try:
                conn.sock = self._tls.wrap_socket(
                    conn.sock, server_side=True, do_handshake_on_connect=False
                )
            except OSError:  # it has gone already
                conn.sock.close()
                self._closed()
                return
        self._begin(PendingRequest(conn, handshaking=handshaking))

    def returned(self, conn: Connection) -> None:
        """Take back a connection after a response."""
        conn.sock.setblocking(False)
        self._begin(PendingRequest(conn, kept=True))

    def end(self, within_ns: int) -> None:
        """Let nobody wait for longer than this from now on: the worker ends."""
        if self._until_ns is not None:
            return
        self._until_ns = self._loop.clock() + within_ns
        for reading in (*self._half_open.all(), *self._kept.all()):
            self._wait(reading, reading.until_ns)

    def close(self) -> None:
        """Close everything at once."""
        for reading in (*self._half_open.all(), *self._kept.all()):
            self._close(reading)

    def _begin(self, reading: PendingRequest) -> None:
        """Read what is there; if it is not all, wait for more."""
        if self._go_on(reading):
            return
        self._loop.add(reading.fd, reading.awaits, lambda _: self._ready(reading))
        self._enter(reading)

    def _enter(self, reading: PendingRequest) -> None:
        """Have a connection wait for its client: within a request, or between two."""
        idle = reading.idle
        members = self._kept if idle else self._half_open
        evicted = members.add(reading, reading.origin)
        if idle and evicted is not None and evicted.has_news():
            self._wait(evicted, self._loop.clock() + REQUEST_NS)  # it is within a request already
            evicted = self._half_open.add(evicted, evicted.origin)
        if evicted is not None:
            self._dropped(DISPLACED)
            self._close(evicted)
        self._wait(reading, self._loop.clock() + (self._keep_ns if idle else REQUEST_NS))

    def _wait(self, reading: PendingRequest, until_ns: int) -> None:
        """Wait until then. A timer that is due earlier looks again: most are never needed."""
        if self._until_ns is not None:
            until_ns = min(until_ns, self._until_ns)
        reading.until_ns = until_ns
        if reading.timer is not None:
            if reading.timer_ns <= until_ns:
                return
            reading.timer.cancel()
        reading.timer_ns = until_ns
        reading.timer = self._loop.call_at(until_ns, lambda: self._look(reading))

    def _look(self, reading: PendingRequest) -> None:
        reading.timer_ns = reading.until_ns
        if self._loop.clock() < reading.until_ns:
            reading.timer = self._loop.call_at(reading.until_ns, lambda: self._look(reading))
        else:
            self._late(reading)

    def _ready(self, reading: PendingRequest) -> None:
        awaited, kept = reading.awaits, reading in self._kept
        reading.just_answered = False
        if self._go_on(reading):
            return
        if reading.awaits != awaited:
            self._loop.change(reading.fd, reading.awaits)
        if reading.just_answered or (kept and not reading.idle):
            self._kept.discard(reading)
            self._half_open.discard(reading)
            self._enter(reading)

    def _go_on(self, reading: PendingRequest) -> bool:
        """Read on; return whether the connection is somebody else's now, or closed."""
        try:
            whole = reading.read()
        except OSError:  # SSLError is one: it left, or speaks no TLS
            self._close(reading)
            return True
        except RequestRefused as refused:
            self._refuse(reading, refused)
            return True
        if whole is None:
            return False
        request = reading.taken(whole)
        answer = None
        if not whole.last and self._until_ns is None:
            answer = self._answer(reading.conn, request)
        if answer is not None:
            return self._send(reading, answer)
        self._forget(reading)
        self._serve(reading.conn, request)
        return True

    def _send(self, reading: PendingRequest, answer: DirectAnswer) -> bool:
        """Send an answer, as far as the client takes it now; return as `_go_on` does."""
        conn = reading.conn
        try:
            rest = send(conn.sock, answer.pieces)
        except OSError:
            self._close(reading)
            return True
        if rest or answer.last:
            if not rest and not conn.ahead and not reading.has_news():
                self._close(reading)  # it said that this is all: nobody need wait for more
                return True
            self._forget(reading)
            then = self._leave if answer.last else self.returned
            if rest:
                self._send_rest(conn, rest, then)
            else:
                then(conn)
            return True
        reading.answered()
        if reading.data and not reading.looked_at_soon:
            reading.looked_at_soon = True
            self._loop.soon(lambda: self._look_ahead(reading))
        return False

    def _look_ahead(self, reading: PendingRequest) -> None:
        """Go on with a connection whose next request was read along with the one before."""
        reading.looked_at_soon = False
        if reading.timer is not None:
            self._ready(reading)

    def _late(self, reading: PendingRequest) -> None:
        if reading in self._kept or not reading.data or self._until_ns is not None:
            self._close(reading)
            return
        self._dropped(LATE)
        self._refuse(
            reading,
            RequestRefused(
                408,
                "request-timeout",
                f"the request was not there within {REQUEST_NS // 1_000_000_000} seconds",
            ),
        )

    def _refuse(self, reading: PendingRequest, refused: RequestRefused) -> None:
        self._forget(reading)
        with contextlib.suppress(OSError):  # it is told as far as it can be
            reading.conn.sock.send(response(refused))
        self._leave(reading.conn)

    def _close(self, reading: PendingRequest) -> None:
        self._forget(reading)
        reading.conn.sock.close()
        self._closed()

    def _forget(self, reading: PendingRequest) -> None:
        if reading.timer is None:
            return  # it never waited
        reading.timer.cancel()
        reading.timer = None
        self._half_open.discard(reading)
        self._kept.discard(reading)
        self._loop.remove(reading.fd)
