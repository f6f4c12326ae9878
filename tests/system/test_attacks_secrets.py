"""Attacks on sessions, and looks for a token where it must not be. docs/security.md lists them."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.helpers.processes import children
from tests.programs.doctor import doctor
from tests.programs.guarded_web_tier import Guarded


def test_forged_and_altered_sessions(server: Guarded) -> None:
    name, _, value = server.sign_in().partition("=")
    body, _, signature = value.rpartition(".")
    for forged in (body, f"{body}.", f"{body}.{signature[::-1]}", f"x{value}", "e30.x.y", ""):
        assert server.get("/cameras", Cookie=f"{name}={forged}")[0] == 401


def test_a_token_in_a_log(server: Guarded) -> None:
    """In what gunicorn says of requests that it cannot read, and of those that fail."""
    secret = server.token
    server.get(f"/?token={secret}")
    server.get("/cameras", Authorization=f"Bearer {secret}")
    for line in (
        f"GET /?token={secret} HTTP/9.9x",
        f"GET /?a=b&token={secret} HTTP/1.1 HTTP/1.1",
        f"GET /?token={secret}",
        f"TOKEN={secret} / HTTP/1.1",
        f"GET / HTTP/1.1\r\nAuthorization: Bearer {secret}\r\nBearer {secret}: x",
        f"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n?token={secret}",
    ):
        server.raw(f"{line}\r\n\r\n".encode())
    assert "Invalid request" in server.tier.log()
    assert secret not in server.tier.log()
    assert secret not in server.daemon.log()


def test_a_token_in_a_process(server: Guarded) -> None:
    """Arguments are for everybody on the machine to read, the environment for the same user."""
    for pid in (server.tier.process.pid, *children(server.tier.process.pid), server.daemon.pid):
        for file in ("cmdline", "environ"):
            assert server.token.encode() not in Path(f"/proc/{pid}/{file}").read_bytes()


def test_a_token_in_an_answer_or_a_referer(server: Guarded) -> None:
    for path in (
        f"/?token={server.token}",
        f"/?token={server.token}&action=x",
        f"/x?token={server.token}",
    ):
        _, headers, body = server.get(path, **server.bearer)
        assert server.token not in body
        assert server.token not in str(headers)
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"


def test_a_token_in_a_bug_report(server: Guarded, tmp_path: Path) -> None:
    bundle = tmp_path / "report.tar.gz"
    done = doctor(
        *("--bundle", str(bundle)),
        FRAMEBUS_RUNTIME_DIR=str(server.directory),
        FRAMEBUS_STATE_DIR=str(server.state),
    )
    assert server.token not in done.stdout + done.stderr
    with tarfile.open(bundle) as tar:
        files = [file for member in tar.getmembers() if (file := tar.extractfile(member))]
        assert len(files) > 5
        for file in files:
            assert server.token.encode() not in file.read(), file.name
