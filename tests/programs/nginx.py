"""The smallest nginx there can be, with a site of a test's own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.waiting import until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(directory: Path, site: str, port: int, *, connections: int = 64) -> Iterator[int]:
    """Run nginx with `site`, which listens on `port`; its files are in the empty `directory`.

    `connections` is how many it may have, those to the site's upstream included. Yields the
    process id of its master.
    """
    assert NGINX is not None
    (directory / "site.conf").write_text(site)
    file = directory / "nginx.conf"
    file.write_text(_configuration(directory, connections))
    log = directory / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen([NGINX, "-c", file, "-e", "stderr"], stderr=errors)
    try:
        until(
            lambda: process.poll() is not None or _listens(port), within_s=30, what="nginx listens"
        )
        assert process.poll() is None, log.read_text()
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _configuration(directory: Path, connections: int) -> str:
    # Its workers give up root for this user, else they could not use the test's directory.
    user = f"user {pwd.getpwuid(0).pw_name};" if os.getuid() == 0 else ""
    temporary = " ".join(
        f"{name}_temp_path {directory}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"{user} daemon off; worker_processes 1; pid {directory}/pid; error_log stderr;\n"
        f"events {{ worker_connections {connections}; }}\n"
        f"http {{ access_log off; {temporary} include {directory}/site.conf; }}\n"
    )


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
