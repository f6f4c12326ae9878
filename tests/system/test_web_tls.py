"""TLS by gunicorn's own certfile, as curl sees it."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.certificate import OPENSSL, make_certificate
from tests.helpers.multipart import split_head
from tests.helpers.waiting import until
from tests.programs.guarded_web_tier import Guarded
from web_workers.capacity import THREAD_SLOTS

CURL = shutil.which("curl")

pytestmark = pytest.mark.skipif(not (OPENSSL and CURL), reason="openssl and curl are wanted")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(certificate: tuple[Path, Path]) -> Iterator[Guarded]:
    file, key = certificate
    with Guarded(FRAMEBUS_CERTFILE=str(file), FRAMEBUS_KEYFILE=str(key)) as server:
        yield server


def curl(server: Guarded, certificate: Path, path: str, *options: str) -> tuple[int, bytes]:
    """Ask with the token, which goes to curl through a pipe; its exit code and output."""
    assert CURL is not None
    done = subprocess.run(
        [
            *(CURL, "--silent", "--show-error", "--cacert", certificate, "--config", "-"),
            *("--max-time", "40", *options, f"https://localhost:{server.tier.port}{path}"),
        ],
        input=f'user = "anybody:{server.token}"'.encode(),
        capture_output=True,
        timeout=50,
    )
    return done.returncode, done.stdout


def connected(server: Guarded, certificate: Path, path: str = "/stream") -> ssl.SSLSocket:
    """A viewer over TLS that has asked for the stream, or for something else without an end."""
    context = ssl.create_default_context(cafile=certificate)
    plain = socket.create_connection(("127.0.0.1", server.tier.port), timeout=20)
    viewer = context.wrap_socket(plain, server_hostname="localhost")
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token}\r\n\r\n"
    viewer.sendall(head.encode())
    return viewer


def seated(server: Guarded, certificate: Path, path: str = "/stream") -> ssl.SSLSocket:
    """A viewer that was let in, once there is a place: an earlier test's may still be leaving."""

    def slot() -> ssl.SSLSocket | None:
        viewer = connected(server, certificate, path)
        if viewer.recv(12) == b"HTTP/1.1 200":
            return viewer
        viewer.close()
        return None

    viewer = until(slot, within_s=30, what="a place")
    assert viewer is not None
    return viewer


def lost_viewers(server: Guarded, certificate: Path) -> int:
    """How often workers have lost viewers, as a page is told."""
    with seated(server, certificate, "/events") as viewer:
        data = b""
        while (found := re.search(rb'"lost":(\d+)}', data)) is None:
            got = viewer.recv(65536)
            assert got, data
            data += got
    return int(found[1])


def test_curl_sees_a_snapshot_and_a_secure_cookie(
    server: Guarded, certificate: tuple[Path, Path]
) -> None:
    code, picture = curl(server, certificate[0], "/snapshot?placeholder=1")
    assert (code, picture[:2]) == (0, b"\xff\xd8")
    code, head = curl(server, certificate[0], "/login", "--include")
    assert code == 0
    assert b"Secure; HttpOnly; " in head


def test_a_stream_comes_through(server: Guarded, certificate: tuple[Path, Path]) -> None:
    with connected(server, certificate[0]) as viewer:
        data = b""
        while data.count(b"X-Sequence:") < 3:
            got = viewer.recv(65536)
            assert got
            data += got
        status, headers, _ = split_head(data)
        assert status == "HTTP/1.1 200 OK"
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]


def test_viewers_beyond_the_threads_are_told_so_until_one_leaves(
    server: Guarded, certificate: tuple[Path, Path]
) -> None:
    viewers: list[ssl.SSLSocket] = []
    try:
        for _ in range(THREAD_SLOTS):
            viewers.append(seated(server, certificate[0]))
        with connected(server, certificate[0]) as late:
            assert late.recv(12) == b"HTTP/1.1 503"
        assert curl(server, certificate[0], "/healthz")[1] == b'{"ok":true}\n'
        viewers.pop(0).close()
        viewers.append(seated(server, certificate[0]))
    finally:
        for viewer in viewers:
            viewer.close()


def test_a_worker_that_is_replaced_ends_the_streams_of_its_threads_and_itself(
    server: Guarded, certificate: tuple[Path, Path]
) -> None:
    (old,) = server.tier.workers()
    lost = lost_viewers(server, certificate[0])
    with seated(server, certificate[0]) as viewer:
        server.tier.process.send_signal(signal.SIGHUP)
        data = b""
        while got := viewer.recv(65536):
            data = data[-64:] + got
    assert data.endswith(b"\r\n0\r\n\r\n")  # to its end (RFC 9112 section 7.1), not cut
    until(lambda: old not in server.tier.workers(), within_s=60, what="the old worker is gone")
    assert "WORKER TIMEOUT" not in server.tier.log()
    # A page learns from that that its pictures are to be asked for again.
    assert lost_viewers(server, certificate[0]) == lost + 1


def test_who_speaks_no_tls_gets_nothing(server: Guarded) -> None:
    with socket.create_connection(("127.0.0.1", server.tier.port), timeout=20) as client:
        client.sendall(b"GET /snapshot HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            answer = client.recv(65536)
        except ConnectionError:
            answer = b""
        assert b"200" not in answer[:16]
