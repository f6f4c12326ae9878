"""Requests over a real TLS pair, whose kernel takes less at a time than OpenSSL has to say."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers.certificate import OPENSSL, make_certificate
from tests.helpers.waiting import until
from web_workers.admission.pending_request import Connection
from web_workers.admission.request_reader import RequestReader
from web_workers.wire.bounded_events import BoundedEvents
from web_workers.wire.loop import StreamLoop

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is wanted")

BODY = b"{}"
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"


class Conn:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.client: object = ("192.0.2.1", 1)
        self.ahead = bytearray()
        self.last = False


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"), names=1000)


class Bench:
    def __init__(self, certificate: tuple[Path, Path]) -> None:
        self.authority = certificate[0]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self.loop = StreamLoop()
        self.events = BoundedEvents(self.loop)
        self.requests: list[tuple[Connection, bytes]] = []
        self.closed: list[int] = []
        self.reader = RequestReader(
            loop=self.events,
            half_open=4,
            kept=2,
            keep_ns=5_000_000_000,
            answer=lambda _conn, _request: None,
            send_rest=lambda _conn, _rest, _then: None,
            serve=lambda conn, request: self.requests.append((conn, request)),
            leave=lambda conn: conn.sock.close(),
            closed=lambda: self.closed.append(1),
            dropped=lambda _why: None,
            tls=context,
        )
        ours, self.client = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel's least
        self.client.settimeout(30)
        self.reader.accepted(Conn(ours))

    def ask(self) -> bytes:
        """Be a client that waits to be told to go on before it sends the body."""
        context = ssl.create_default_context(cafile=str(self.authority))
        secured = context.wrap_socket(
            self.client, server_hostname="localhost", do_handshake_on_connect=False
        )
        with secured:
            secured.do_handshake()
            secured.sendall(HEAD)
            told = secured.recv(4096)
            secured.sendall(BODY)
            return told

    def close(self) -> None:
        self.reader.close()
        self.events.close()
        for conn, _ in self.requests:
            conn.sock.close()
        self.client.close()
        self.loop.close()


@pytest.fixture
def bench(certificate: tuple[Path, Path]) -> Iterator[Bench]:
    bench = Bench(certificate)
    yield bench
    bench.close()


def test_a_handshake_that_the_kernel_takes_in_pieces_is_gone_on_with(bench: Bench) -> None:
    def arrived() -> bool:
        bench.loop.dispatch(0.01)
        return bool(bench.requests or bench.closed)

    with ThreadPoolExecutor(1) as thread:
        told = thread.submit(bench.ask)
        until(arrived)
        assert not bench.closed, "the client was taken for lost"
        assert told.result(30) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert [request for _, request in bench.requests] == [HEAD + BODY]
