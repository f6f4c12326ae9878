"""Clients that do not finish their requests, or do not read the answers: they stop nobody else."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.http_connection import answer, connect
from tests.helpers.runtimes import private_runtime
from tests.programs.web_tier import WebTier
from tests.rigs.bus import Bus

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    with private_runtime() as runtime:
        yield runtime


@pytest.fixture(scope="module")
def tier(runtime: Path) -> Iterator[WebTier]:
    """One for all of these: what one test leaves half open must not matter to the next."""
    tier = WebTier(runtime)
    yield tier
    tier.close()


def to_the_end(connection: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while got := connection.recv(4096):
            data += got
    return data


def to_the_end_of_answer(connection: socket.socket) -> bytes:
    data = b""
    while b"valid" not in data and b"not allowed" not in data:
        got = connection.recv(4096)
        assert got, data
        data += got
    return data


@pytest.mark.parametrize("begun", [b"GET /snapshot HT", REQUEST[:-2], b"G"])
def test_many_half_open_requests_keep_no_snapshot_from_being_answered(
    patient_bus: Bus, tier: WebTier, begun: bytes
) -> None:
    patient_bus.publish()
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(tier.port)).sendall(begun)
        for _ in range(20):
            status, headers, _ = tier.get("/snapshot")
            assert (status, headers["Content-Type"]) == (200, "image/jpeg")


def test_clients_that_do_not_read_their_snapshots_keep_nobody_from_one(
    patient_bus: Bus, tier: WebTier
) -> None:
    picture = b"\xff\xd8" + bytes(1_000_000)
    patient_bus.publish(picture)
    with contextlib.ExitStack() as stack:
        for _ in range(16):
            lazy = stack.enter_context(connect(tier.port, receive_buffer=4096))
            lazy.sendall(12 * b"GET /snapshot HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert lazy.recv(12) == b"HTTP/1.1 200"
        for _ in range(20):
            assert tier.get("/snapshot")[2] == picture


def test_pipelined_requests_and_those_in_pieces_are_answered_one_after_another(
    tier: WebTier,
) -> None:
    with connect(tier.port) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"\r\n" + REQUEST + REQUEST + REQUEST[:10])
        for _ in range(2):
            assert answer(connection)[0].startswith(b"HTTP/1.1 200 OK")
        for byte in REQUEST[10:]:
            connection.sendall(bytes((byte,)))
        assert answer(connection)[0].startswith(b"HTTP/1.1 200 OK")
        body = b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\n"
        connection.sendall(body + b"12")
        connection.sendall(b"345" + REQUEST)
        assert answer(connection)[0].startswith(b"HTTP/1.1 405")
        assert answer(connection)[0].startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + b"X: " + bytes(40_000), b"431"),
        (b"GET /" + b"x" * 40_000, b"414"),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 70000\r\n\r\n", b"413"),
        (
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"411",
        ),
        (b"GET / HTTP/1.1\nHost: x\n\n", b"400"),
        (
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 40\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + REQUEST,
            b"400",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12" + REQUEST,
            b"400",
        ),
    ],
)
def test_a_request_without_a_clear_end_is_refused_and_nothing_follows_it(
    tier: WebTier, request_: bytes, status: bytes
) -> None:
    with connect(tier.port) as connection:
        connection.sendall(request_)
        told = to_the_end(connection)
    assert told.startswith(b"HTTP/1.1 " + status), told
    assert told.count(b"HTTP/1.1 ") == 1


def test_a_client_that_waits_for_the_word_continue_is_given_it(tier: WebTier) -> None:
    with connect(tier.port) as connection:
        connection.sendall(
            b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert connection.recv(12) == b"HTTP/1.1 100"
        connection.sendall(b"{}")
        assert connection.recv(len(CONTINUE) - 12) == CONTINUE[12:]
        assert to_the_end_of_answer(connection).startswith(b"HTTP/1.1 405")


def test_a_client_that_did_not_wait_for_the_word_continue_is_not_given_it(tier: WebTier) -> None:
    # gunicorn would say it in a thread, which waits there for a client that reads nothing.
    with connect(tier.port) as connection:
        connection.sendall(
            b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"
        )
        assert to_the_end_of_answer(connection).startswith(b"HTTP/1.1 405")
