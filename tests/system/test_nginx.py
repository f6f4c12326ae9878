"""Viewers behind nginx, with deploy/nginx/framebus.conf in front of a real web tier."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.names import state_dir, web_token
from framebus.secret_files import read_secret

from tests.helpers.certificate import OPENSSL
from tests.helpers.multipart import split_head
from tests.helpers.waiting import until
from tests.programs import nginx
from tests.programs.nginx_site import SITE, redirect, site_at
from tests.programs.web_tier import Stream, WebTier
from tests.rigs.bus import Bus

ACCESS = {
    "FRAMEBUS_CONTROL": "token",
    "FRAMEBUS_ALLOW_HOST": "camera.example.org",
    "FRAMEBUS_TRUSTED_PROXY": "127.0.0.1",
}

pytestmark = pytest.mark.skipif(
    nginx.NGINX is None or OPENSSL is None, reason="nginx and openssl are wanted"
)


@pytest.fixture
def tier(runtime: Path) -> Iterator[WebTier]:
    tier = WebTier(runtime, environ=ACCESS)
    yield tier
    tier.close()


@pytest.fixture
def ports(tier: WebTier, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """The ports of an nginx in front of `tier`, without and with TLS."""
    port, tls = nginx.free_port(), nginx.free_port()
    with nginx.running(tmp_path, site_at(tmp_path, tier.port, port, tls), port):
        yield port, tls


@pytest.mark.parametrize(
    "path",
    [
        *("/cameras/camera/stream", "/stream", "/?action=stream", "/webcam/?action=stream_0"),
        *("/stream/", "/stream.mjpg", "/cameras/camera/stream.mjpeg", "/video"),
    ],
)
def test_frames_come_through_one_by_one_and_unchunked(
    patient_bus: Bus, ports: tuple[int, int], path: str
) -> None:
    port, _ = ports
    first = patient_bus.publish()
    viewer = Stream(port, path).start()
    try:
        assert "chunked" not in viewer.headers.get("transfer-encoding", "")
        viewer.wait(lambda: first in seen(viewer), "the first frame, with none after it")
        second = patient_bus.publish()
        viewer.wait(lambda: second in seen(viewer), "the second")
        assert seen(viewer) == {first, second}
        viewer.check()
    finally:
        viewer.close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_it_tells_scheme_and_name_and_no_client_can(tier: WebTier, ports: tuple[int, int]) -> None:
    file = web_token(state_dir())
    until(file.exists, within_s=30, what="the worker has made the token")
    secret = read_secret(file)
    tls = ports[1]

    def ask(path: str, name: str, *options: str) -> str:
        done = subprocess.run(
            [
                *("curl", "--silent", "--insecure", "--include", "--max-time", "40", *options),
                *("--resolve", f"{name}:{tls}:127.0.0.1", f"https://{name}:{tls}{path}"),
            ],
            capture_output=True,
            timeout=50,
        )
        return done.stdout.decode()

    signed_in = ask(f"/?token={secret}", "camera.example.org")
    assert signed_in.startswith("HTTP/2 303")
    assert "Secure; HttpOnly;" in signed_in
    assert ask("/cameras", "evil.example").startswith("HTTP/2 421")
    forged = ("--header", "X-Forwarded-Host: camera.example.org")
    assert ask("/cameras", "evil.example", *forged).startswith("HTTP/2 421")
    forged = ("--header", "X-Forwarded-Proto: http")
    assert "Secure;" in ask(f"/?token={secret}", "camera.example.org", *forged)


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/?token=secret", "/"),
        ("/cameras/front/stream?token=secret", "/cameras/front/stream"),
        ("/a%20b", "/a%20b"),
        ("/%0d%0aSet-Cookie:%20evil=1", "/%0d%0aSet-Cookie:%20evil=1"),
        ("/%0D%0A%0D%0A<script>", "/%0D%0A%0D%0A<script>"),
        ("http://camera.example.org/x", "/x"),
    ],
)
def test_without_tls_everybody_is_sent_there_and_a_path_stays_one(
    tmp_path: Path, path: str, to: str
) -> None:
    port = nginx.free_port()
    site = redirect(SITE.read_text()).replace("listen 80;", f"listen 127.0.0.1:{port};")
    request = f"GET {path} HTTP/1.1\r\nHost: camera.example.org\r\nConnection: close\r\n\r\n"
    with (
        nginx.running(tmp_path, site.replace("listen [::]:80;", ""), port),
        socket.create_connection(("127.0.0.1", port), timeout=30) as client,
    ):
        client.sendall(request.encode())
        answer = client.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 301 ")
    _, headers, _ = split_head(answer.encode())
    assert headers["Location"] == f"https://camera.example.org{to}"
    assert "Set-Cookie" not in headers
    assert "secret" not in answer


def seen(viewer: Stream) -> set[int]:
    """The sequences of the frames that came; a frame is repeated while no newer one is there."""
    return {frame.sequence for frame in viewer.frames}
