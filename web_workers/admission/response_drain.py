"""Connections after their response: the rest of it is sent, and what is to be closed lingers.

All of it is done in the worker's loop. A client that takes nothing for ten seconds is closed; so
many connections may be here, with so many bytes between them, and beyond that the oldest goes.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from web_workers.admission.buffered_socket import BufferedSocket
from web_workers.admission.direct_answer import Pieces, send
from web_workers.admission.evicting_set import EvictingSet
from web_workers.admission.origin import origin_of
from web_workers.admission.pending_request import Connection
from web_workers.wire.bounded_events import BoundedEvents
from web_workers.wire.linger import Lingering, linger
from web_workers.wire.loop import Timer

STALL_NS = 10_000_000_000
"""So long may a client take nothing of its response."""
HELD_MAX = 1 << 26
"""Bytes of responses that clients have not taken yet, all of a worker's together."""
UNREAD = "unread"
"""Why a connection was dropped: it did not take its response."""


class ResponseDrain:
    """The connections of one worker that have their response, or most of it."""

    def __init__(
        self,
        *,
        loop: BoundedEvents,
        limit: int,
        closed: Callable[[], None],
        dropped: Callable[[str], None],
    ) -> None:
        """`closed` is called once for each connection that is closed here; `dropped` with UNREAD
        for one whose response was not taken."""
        self._loop = loop
        self._members: EvictingSet[Connection] = EvictingSet(limit)
        self._closing: dict[Connection, _Sending | Lingering] = {}
        self._closed = closed
        self._dropped = dropped
        self._held = 0

    def __len__(self) -> int:
        return len(self._closing)

    def flush(self, conn: Connection, then: Callable[[Connection], None]) -> None:
        """Send what is left of a response, then call `then`."""
        sock = conn.sock
        if isinstance(sock, BufferedSocket) and sock.rest:
            self.send(conn, [memoryview(sock.taken())], then)
        else:
            then(conn)

    def send(self, conn: Connection, rest: Pieces, then: Callable[[Connection], None]) -> None:
        """Send this rest of a response, then call `then`. Pieces that are shared stay so."""

        def ended(unread: int) -> None:
            self._held -= sending.size
            self._leave(conn)
            if unread:
                self._closed()
            else:
                then(conn)

        sending = _Sending(self._loop, conn.sock, rest, ended, lambda: self._drop(conn))
        self._held += sending.size
        self._enter(conn, sending)
        while self._held > HELD_MAX and len(self._members) > 1:
            self._drop(self._members.all()[0])

    def linger(self, conn: Connection) -> None:
        """Close a connection as soon as its client closes, or in two seconds."""

        def ended() -> None:
            self._leave(conn)
            self._closed()

        lingering = linger(self._loop, conn.sock, ended)
        if lingering is not None:
            self._enter(conn, lingering)

    def close(self) -> None:
        """Close everything at once."""
        for member in tuple(self._closing.values()):
            member.close()

    def _enter(self, conn: Connection, member: _Sending | Lingering) -> None:
        self._closing[conn] = member
        evicted = self._members.add(conn, origin_of(conn.client))
        if evicted is not None:
            self._drop(evicted)

    def _leave(self, conn: Connection) -> None:
        self._members.discard(conn)
        self._closing.pop(conn, None)

    def _drop(self, conn: Connection) -> None:
        member = self._closing[conn]
        if isinstance(member, _Sending):
            self._dropped(UNREAD)
        member.close()


class _Sending:
    """The rest of one response."""

    def __init__(
        self,
        loop: BoundedEvents,
        sock: socket.socket,
        rest: Pieces,
        ended: Callable[[int], None],
        stalled: Callable[[], None],
    ) -> None:
        """Begin. `ended` is called once with the bytes that were not sent: if there are any, the
        socket is closed. `stalled` is called when the client takes nothing for too long."""
        self.size = sum(map(len, rest))
        self._loop = loop
        self._sock = sock
        self._ended = ended
        self._stalled = stalled
        self._rest = rest
        self._moved_ns = loop.clock()
        self._timer: Timer = loop.call_at(self._moved_ns + STALL_NS, self._look)
        sock.setblocking(False)
        loop.add(sock.fileno(), select.EPOLLOUT, self._writable)

    def _writable(self, _events: int) -> None:
        before = self._rest
        try:
            self._rest = send(self._sock, before)
        except OSError:  # it has gone
            self.close()
            return
        if self._rest is not before:
            self._moved_ns = self._loop.clock()
        if not self._rest:
            self.close()

    def _look(self) -> None:
        due_ns = self._moved_ns + STALL_NS
        if self._loop.clock() < due_ns:
            self._timer = self._loop.call_at(due_ns, self._look)
        else:
            self._stalled()

    def close(self) -> None:
        """End, with or without a rest."""
        self._timer.cancel()
        self._loop.remove(self._sock.fileno())
        if self._rest:
            self._sock.close()
        self._ended(sum(map(len, self._rest)))
