"""Viewers behind nginx, with deploy/nginx/framebus.conf in front of a real web tier."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bus import Bus
from tests.system.webtier import Stream, WebTier
from tests.waiting import until

SITE = Path(__file__).parents[2] / "deploy" / "nginx" / "framebus.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def configuration(directory: Path, upstream: int, port: int) -> str:
    """The site as it is, but for its two addresses, in the smallest nginx there can be."""
    site = SITE.read_text()
    for old, new in (
        ("server 127.0.0.1:8080;", f"server 127.0.0.1:{upstream};"),
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("listen [::]:80;", ""),
    ):
        assert site.count(old) == 1
        site = site.replace(old, new)
    (directory / "site.conf").write_text(site)
    # Its workers give up root for this user, else they could not use the test's directory.
    user = f"user {pwd.getpwuid(0).pw_name};" if os.getuid() == 0 else ""
    temporary = " ".join(
        f"{name}_temp_path {directory}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"{user} daemon off; worker_processes 1; pid {directory}/pid; error_log stderr;\n"
        "events { worker_connections 64; }\n"
        f"http {{ access_log off; {temporary} include {directory}/site.conf; }}\n"
    )


@pytest.fixture
def tier(runtime: Path) -> Iterator[WebTier]:
    tier = WebTier(runtime)
    yield tier
    tier.close()


@pytest.fixture
def port(tier: WebTier, tmp_path: Path) -> Iterator[int]:
    """The port of an nginx in front of `tier`."""
    assert NGINX is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    file = tmp_path / "nginx.conf"
    file.write_text(configuration(tmp_path, tier.port, port))
    log = tmp_path / "log"
    with log.open("wb") as errors:
        nginx = subprocess.Popen([NGINX, "-c", file, "-e", "stderr"], stderr=errors)
    try:
        until(lambda: nginx.poll() is not None or _listens(port), what="nginx listens")
        assert nginx.poll() is None, log.read_text()
        yield port
    finally:
        nginx.terminate()
        nginx.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("path", ["/cameras/camera/stream", "/stream", "/?action=stream"])
def test_frames_come_through_one_by_one_and_unchunked(runtime: Path, port: int, path: str) -> None:
    bus = Bus(runtime)
    try:
        first = bus.publish()
        viewer = Stream(port, path).start()
        try:
            assert "chunked" not in viewer.headers.get("transfer-encoding", "")
            viewer.wait(lambda: first in seen(viewer), "the first frame, with none after it")
            second = bus.publish()
            viewer.wait(lambda: second in seen(viewer), "the second")
            assert seen(viewer) == {first, second}
            viewer.check()
        finally:
            viewer.close()
    finally:
        bus.close()


def seen(viewer: Stream) -> set[int]:
    """The sequences of the frames that came; a frame is repeated while no newer one is there."""
    return {frame.sequence for frame in viewer.frames}
