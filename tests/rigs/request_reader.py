"""Requests read in a loop whose clock the test sets, over socket pairs."""

from __future__ import annotations

import socket
from collections.abc import Callable

from web_workers.admission.buffered_socket import BufferedSocket
from web_workers.admission.direct_answer import DirectAnswer
from web_workers.admission.pending_request import Connection
from web_workers.admission.request_reader import RequestReader
from web_workers.admission.response_drain import ResponseDrain
from web_workers.wire.bounded_events import BoundedEvents
from web_workers.wire.loop import StreamLoop

KEEP_NS = 5_000_000_000
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Conn:
    def __init__(self, sock: socket.socket, address: str) -> None:
        self.sock = sock
        self.client: object = (address, 1)
        self.ahead = bytearray()
        self.last = False


class Bench:
    def __init__(self) -> None:
        self.now = 0
        self.loop = StreamLoop(clock=lambda: self.now)
        self.events = BoundedEvents(self.loop)
        self.answer: Callable[[bytes], DirectAnswer | None] = lambda _request: None
        self.closed = 0
        self.dropped: list[str] = []
        self.requests: list[tuple[Connection, bytes]] = []
        self.clients: list[socket.socket] = []
        self.response_drain = ResponseDrain(
            loop=self.events, limit=4, closed=self.on_closed, dropped=self.dropped.append
        )
        self.request_reader = RequestReader(
            loop=self.events,
            half_open=4,
            kept=2,
            keep_ns=KEEP_NS,
            answer=lambda _conn, request: self.answer(request),
            send_rest=self.response_drain.send,
            serve=lambda conn, request: self.requests.append((conn, request)),
            leave=self.response_drain.linger,
            closed=self.on_closed,
            dropped=self.dropped.append,
        )

    def on_closed(self) -> None:
        self.closed += 1

    def connect(self, said: bytes = b"", address: str = "192.0.2.1") -> tuple[socket.socket, Conn]:
        ours, client = socket.socketpair()
        client.settimeout(30)
        self.clients.append(client)
        if said:
            client.sendall(said)
        conn = Conn(BufferedSocket(ours), address)
        self.request_reader.accepted(conn)
        return client, conn

    def pass_ns(self, nanoseconds: int) -> None:
        self.now += nanoseconds
        self.loop.dispatch()

    def close(self) -> None:
        self.request_reader.close()
        self.response_drain.close()
        self.events.close()
        for conn, _ in self.requests:
            conn.sock.close()
        for client in self.clients:
            client.close()
        self.loop.close()
