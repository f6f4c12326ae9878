"""The same app under servers that know nothing of it: gunicorn's own workers, wsgiref, TLS."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from tests.helpers.multipart import Parser, Part
from tests.helpers.waiting import until
from tests.programs.web_tier import STREAM_WORKER, WebTier
from tests.rigs.bus import Bus
from web_workers.app import create_app
from web_workers.settings import Settings


def _parts(connection: http.client.HTTPConnection, count: int) -> list[Part]:
    """Return the first parts of the stream; the client library undoes a chunked coding."""
    connection.request("GET", "/stream")
    response = connection.getresponse()
    assert response.status == 200
    parser = Parser()
    parts: list[Part] = []
    while len(parts) < count:
        data = response.read1(65536)
        assert data, "the stream ended"
        parts += parser.feed(data)
    response.close()
    return parts


def _check(parts: list[Part]) -> None:
    stamps = [part.timestamp for part in parts if not part.placeholder]
    assert len(stamps) >= 10
    assert stamps == sorted(stamps)
    assert all(part.body[:2] == b"\xff\xd8" for part in parts)


@pytest.mark.parametrize("worker_class", ["gthread", "sync"])
def test_gunicorns_own_workers_stream(runtime: Path, bus: Bus, worker_class: str) -> None:
    bus.start()
    tier = WebTier(runtime, worker_class=worker_class)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", tier.port, timeout=20)
        _check(_parts(connection, 20))
        connection.close()
        until(lambda: tier.get("/healthz")[0] == 200, what="the thread is free again")
    finally:
        tier.close()


def test_the_stream_worker_streams_over_tls(runtime: Path, bus: Bus) -> None:
    key, certificate = _certificate(runtime)
    bus.start()
    tier = WebTier(runtime, worker_class=STREAM_WORKER, certfile=str(certificate), keyfile=str(key))
    try:
        context = ssl.create_default_context(cafile=str(certificate))
        context.check_hostname = False
        connection = http.client.HTTPSConnection(
            "127.0.0.1", tier.port, timeout=20, context=context
        )
        _check(_parts(connection, 20))
        connection.close()
    finally:
        tier.close()


def test_handshakes_that_are_not_finished_keep_nobody_from_an_answer(
    runtime: Path, bus: Bus
) -> None:
    key, certificate = _certificate(runtime)
    bus.start()
    tier = WebTier(runtime, worker_class=STREAM_WORKER, certfile=str(certificate), keyfile=str(key))
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    hello = ssl.MemoryBIO()
    try:
        with contextlib.suppress(ssl.SSLWantReadError):
            context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="x").do_handshake()
        said = hello.read()
        with contextlib.ExitStack() as stack:
            for number in range(60):
                rude = stack.enter_context(socket.create_connection(("127.0.0.1", tier.port)))
                rude.sendall(said if number % 2 else said[:50])
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", tier.port)))
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            client = http.client.HTTPSConnection(
                "127.0.0.1", tier.port, timeout=20, context=context
            )
            stack.callback(client.close)
            for _ in range(3):  # over one connection
                client.request("GET", "/healthz")
                response = client.getresponse()
                assert (response.status, bool(response.read())) == (200, True)
    finally:
        tier.close()


def _certificate(runtime: Path) -> tuple[Path, Path]:
    """Make a key and a certificate for it."""
    key, certificate = runtime / "key.pem", runtime / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "1", "-subj", "/CN=localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_wsgiref_streams_placeholders_and_then_frames(runtime: Path) -> None:
    class Server(WSGIServer):
        def handle_error(self, *_: object) -> None:
            """The client hangs up on purpose."""

    app = create_app(Settings(runtime))
    with make_server("127.0.0.1", 0, app, server_class=Server, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        connection.request("GET", "/stream")
        response = connection.getresponse()
        parser = Parser()
        parts: list[Part] = []
        bus = None
        while sum(not part.placeholder for part in parts) < 5:
            parts += parser.feed(response.read1(65536))
            if bus is None and parts:
                bus = Bus(runtime)
                bus.start()
        connection.close()
        response.close()
        thread.join()
        assert bus is not None
        bus.close()
    assert parts[0].placeholder == "daemon-absent"
