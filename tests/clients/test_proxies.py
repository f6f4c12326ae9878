"""lighttpd and Varnish as docs/clients.md has them, in front of a framebus."""

from __future__ import annotations

import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clients import page
from tests.helpers.multipart import Parser
from tests.helpers.waiting import until
from tests.programs.nginx import free_port

pytestmark = pytest.mark.slow

LIGHTTPD, VARNISHD = (
    shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") for name in ("lighttpd", "varnishd")
)


@contextmanager
def running(command: list[str], directory: Path, address: str) -> Iterator[str]:
    """Run a proxy; yields `address`, where framebus is behind it by then."""
    log = directory / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=directory, stdout=out, stderr=out)
    try:
        until(
            lambda: process.poll() is not None or answers(f"{address}/healthz"),
            within_s=50,
            what="the proxy serves",
        )
        assert process.poll() is None, log.read_text()
        yield address
    finally:
        process.terminate()
        process.wait(30)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture
def lighttpd(base: str, tmp_path: Path) -> Iterator[str]:
    if LIGHTTPD is None:
        pytest.skip("not installed: lighttpd (tests/setup_system.py, as root on Debian)")
    port = free_port()
    site = page.block("Proxies", "lighttpd").text
    assert "8080" in site
    file = tmp_path / "lighttpd.conf"
    file.write_text(
        f'server.document-root = "{tmp_path}"\nserver.bind = "127.0.0.1"\n'
        f"server.port = {port}\n" + site.replace("8080", str(urlsplit(base).port))
    )
    command = [LIGHTTPD, "-D", "-f", str(file)]
    with running(command, tmp_path, f"http://127.0.0.1:{port}/webcam") as address:
        yield address


@pytest.fixture
def varnish(base: str, tmp_path: Path) -> Iterator[str]:
    if VARNISHD is None:
        pytest.skip("not installed: varnish (tests/setup_system.py, as root on Debian)")
    port = free_port()
    file = tmp_path / "framebus.vcl"
    text = page.block("Proxies", "vcl").text
    assert "8080" in text
    file.write_text(text.replace("8080", str(urlsplit(base).port)))
    # -j none: its worker stays who the test is, whose directory this is.
    command = [
        *(VARNISHD, "-F", "-j", "none", "-n", str(tmp_path / "varnish")),
        *("-a", f"127.0.0.1:{port}", "-f", str(file), "-s", "malloc,16m"),
    ]
    with running(command, tmp_path, f"http://127.0.0.1:{port}") as address:
        yield address


@pytest.fixture(params=["lighttpd", "varnish"])
def proxy(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.mark.parametrize("path", ["/stream", "/?action=stream"])
def test_frames_come_through_a_proxy_one_by_one(proxy: str, path: str) -> None:
    parser = Parser()
    seen: set[bytes] = set()
    with urllib.request.urlopen(proxy + path, timeout=30) as response:
        while len(seen) < 5:
            data = response.read1(1 << 16)
            assert data, "the stream ended"
            seen |= {part.body for part in parser.feed(data)}


def test_states_come_through_a_proxy_one_by_one(proxy: str) -> None:
    with urllib.request.urlopen(f"{proxy}/events", timeout=30) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        states = 0
        while states < 3:
            line = response.readline()
            assert line, "the events ended"
            states += line.startswith(b"data: ")


def test_a_proxy_keeps_no_picture_for_the_next_who_asks(proxy: str) -> None:
    def taken() -> bytes:
        try:
            with urllib.request.urlopen(f"{proxy}/snapshot", timeout=30) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:  # 503: a stalled machine has no fresh frame
            error.close()
            return b""

    first = until(taken, within_s=30)
    until(lambda: taken() not in (b"", first), within_s=30, what="another snapshot")


def test_viewers_that_leave_a_proxy_leave_framebus(proxy: str, base: str) -> None:
    def viewers() -> float:
        with urllib.request.urlopen(f"{base}/metrics", timeout=30) as response:
            lines = response.read().decode().splitlines()
        return sum(
            float(line.split()[-1]) for line in lines if line.startswith("framebus_viewers{")
        )

    with urllib.request.urlopen(f"{proxy}/stream", timeout=30) as response:
        assert response.read(1000)
        until(lambda: viewers() == 1, within_s=30)
    until(lambda: viewers() == 0, within_s=50, what="it has left")
