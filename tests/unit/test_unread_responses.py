"""Responses that clients are slow to take: how much is held for them all, and what goes first."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.rigs.request_reader import GET, Bench
from web_workers.admission import response_drain
from web_workers.admission.response_drain import UNREAD
from web_workers.wire.linger import LINGER_NS

MB = 1_000_000


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(response_drain, "HELD_MAX", 10 * MB)
    bench = Bench()
    yield bench
    bench.close()


def respond(bench: Bench, size: int, address: str = "192.0.2.1") -> socket.socket:
    """Have a client that has been sent so much and has taken none of it."""
    client, conn = bench.connect(GET, address)
    conn.sock.setblocking(True)
    conn.sock.sendall(bytes(size))
    bench.response_drain.flush(conn, bench.response_drain.linger)
    return client


def read(bench: Bench, client: socket.socket, size: int) -> int:
    """Take `size` bytes, or what comes before the end; return how many."""
    got = 0
    while got < size and (data := client.recv(min(MB, size - got))):
        got += len(data)
        bench.loop.dispatch()
    return got


def test_the_oldest_goes_when_too_much_is_held_but_one_may_be_larger(bench: Bench) -> None:
    first, second = respond(bench, 6 * MB), respond(bench, 6 * MB)
    assert (len(bench.response_drain), bench.dropped, bench.closed) == (1, [UNREAD], 1)
    assert read(bench, first, 6 * MB) < 6 * MB
    large = respond(bench, 20 * MB)
    assert (len(bench.response_drain), bench.dropped, bench.closed) == (1, [UNREAD] * 2, 2)
    assert read(bench, second, 6 * MB) < 6 * MB
    assert read(bench, large, 20 * MB) == 20 * MB


def test_what_was_taken_makes_room_for_others(bench: Bench) -> None:
    for _ in range(3):
        clients = [respond(bench, 4 * MB) for _ in range(2)]
        assert [read(bench, client, 4 * MB) for client in clients] == [4 * MB] * 2
        bench.pass_ns(LINGER_NS)
    assert bench.dropped == []
    assert (len(bench.response_drain), bench.closed) == (0, 6)


def test_who_has_taken_all_and_makes_room_is_not_said_to_have_read_nothing(bench: Bench) -> None:
    clients = [respond(bench, 10, f"192.0.2.{host}") for host in range(5)]  # there is room for four
    assert (len(bench.response_drain), bench.closed, bench.dropped) == (4, 1, [])
    assert [read(bench, client, 10) for client in clients] == [10] * 5


def test_at_the_end_everything_is_closed(bench: Bench) -> None:
    unread, lingering = respond(bench, 6 * MB), respond(bench, 10)
    bench.response_drain.close()
    assert (len(bench.response_drain), bench.closed) == (0, 2)
    assert read(bench, unread, 6 * MB) < 6 * MB
    assert read(bench, lingering, 11) == 10
