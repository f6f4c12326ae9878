"""Reads requests in the worker's loop, so that no thread ever waits for a client to finish one.

A connection is here from its accept until its request is there to the last byte, and again between
two requests. A request has ten seconds from the accept, or from its first byte on a connection that
was kept; so many connections may be under way, and the one that waited longest goes for a new one
(evicting_set.py). Of TLS the handshake is done here as well.

Runs in the worker's main thread. It knows nothing of gunicorn but that a connection has a `sock`
and a `client`: `serve` is called with a connection and its request, `closed` once for each that is
closed here.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable

from web_workers.admission.error_response import response
from web_workers.admission.evicting_set import EvictingSet
from web_workers.admission.pending_request import Connection, PendingRequest
from web_workers.admission.request_framing import RequestRefused
from web_workers.wire.loop import StreamLoop

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
        loop: StreamLoop,
        half_open: int,
        kept: int,
        keep_ns: int,
        serve: Callable[[Connection, bytes], None],
        leave: Callable[[Connection], None],
        closed: Callable[[], None],
        dropped: Callable[[str], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`half_open` and `kept` are how many may wait within a request and between two.

        A kept connection waits for `keep_ns`. `serve` gets a request; `leave` a connection that
        was answered here and is to be closed politely; `dropped` is told LATE or DISPLACED.
        """
        self._loop = loop
        self._half_open: EvictingSet[PendingRequest] = EvictingSet(half_open)
        self._kept: EvictingSet[PendingRequest] = EvictingSet(kept)
        self._keep_ns = keep_ns
        self._serve = serve
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
        self._begin(PendingRequest(conn, handshaking=handshaking), kept=False)

    def returned(self, conn: Connection) -> None:
        """Take back a connection after a response."""
        conn.sock.setblocking(False)
        self._begin(PendingRequest(conn), kept=True)

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

    def _begin(self, reading: PendingRequest, *, kept: bool) -> None:
        """Read what is there; if it is not all, wait for more."""
        if self._go_on(reading):
            return
        self._loop.add(reading.fd, reading.awaits, lambda _: self._ready(reading))
        idle = kept and not reading.data
        self._enter(self._kept if idle else self._half_open, reading)
        self._wait(reading, self._loop.clock() + (self._keep_ns if idle else REQUEST_NS))

    def _enter(self, members: EvictingSet[PendingRequest], reading: PendingRequest) -> None:
        evicted = members.add(reading, reading.origin)
        if evicted is not None:
            self._dropped(DISPLACED)
            self._close(evicted)

    def _wait(self, reading: PendingRequest, until_ns: int) -> None:
        if self._until_ns is not None:
            until_ns = min(until_ns, self._until_ns)
        if reading.timer is not None:
            reading.timer.cancel()
        reading.until_ns = until_ns
        reading.timer = self._loop.call_at(until_ns, lambda: self._late(reading))

    def _ready(self, reading: PendingRequest) -> None:
        awaited = reading.awaits
        if self._go_on(reading):
            return
        if reading.awaits != awaited:
            self._loop.change(reading.fd, reading.awaits)
        if reading.data and reading in self._kept:
            self._kept.discard(reading)
            self._enter(self._half_open, reading)
            self._wait(reading, self._loop.clock() + REQUEST_NS)

    def _go_on(self, reading: PendingRequest) -> bool:
        """Read on; return whether the connection is somebody else's now, or closed."""
        try:
            whole = reading.read()
        except OSError:  # SSLError is one: it left, or speaks no TLS
            self._close(reading)
            return True
        except RequestRefused as refused:
            self._answer(reading, refused)
            return True
        if whole is None:
            return False
        self._forget(reading)
        self._serve(reading.conn, reading.taken(whole))
        return True

    def _late(self, reading: PendingRequest) -> None:
        if reading in self._kept or not reading.data or self._until_ns is not None:
            self._close(reading)
            return
        self._dropped(LATE)
        self._answer(
            reading,
            RequestRefused(
                408,
                "request-timeout",
                f"the request was not there within {REQUEST_NS // 1_000_000_000} seconds",
            ),
        )

    def _answer(self, reading: PendingRequest, refused: RequestRefused) -> None:
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
