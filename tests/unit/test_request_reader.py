"""A request from its first byte to its last, and what becomes of those that never come to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rigs.request_reader import GET, KEEP_NS, Bench
from web_workers.admission.request_reader import DISPLACED, LATE, REQUEST_NS
from web_workers.admission.response_drain import STALL_NS, UNREAD
from web_workers.wire.linger import LINGER_NS


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_a_request_that_is_there_is_served_at_once_and_what_follows_after_it(bench: Bench) -> None:
    _, conn = bench.connect(GET + GET[:5])
    assert bench.requests == [(conn, GET)]
    assert (len(bench.request_reader), bench.loop.timeout_s(99.0)) == (0, 99.0)
    bench.clients[0].sendall(GET[5:])
    bench.request_reader.returned(conn)
    assert bench.requests == [(conn, GET)] * 2


def test_a_request_in_pieces_has_one_deadline_however_often_bytes_come(bench: Bench) -> None:
    client, _ = bench.connect(GET[:3])
    for byte in GET[3:12]:
        bench.pass_ns(REQUEST_NS // 10)
        client.sendall(bytes((byte,)))
        bench.loop.dispatch()
    assert bench.dropped == []
    bench.pass_ns(REQUEST_NS // 10)
    assert bench.dropped == [LATE]
    assert client.recv(4096).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert client.recv(4096) == b""
    assert bench.closed == 0
    bench.pass_ns(LINGER_NS)
    assert bench.closed == 1


def test_who_says_nothing_is_closed_without_a_word(bench: Bench) -> None:
    client, _ = bench.connect()
    bench.pass_ns(REQUEST_NS)
    assert client.recv(4096) == b""
    assert (bench.closed, bench.dropped, len(bench.request_reader)) == (1, [], 0)


def test_a_client_that_leaves_in_the_middle_is_forgotten(bench: Bench) -> None:
    client, _ = bench.connect(GET[:9])
    client.close()
    bench.loop.dispatch(10.0)
    assert (bench.closed, len(bench.request_reader), bench.loop.timeout_s(99.0)) == (1, 0, 99.0)


def test_the_oldest_half_open_one_goes_for_a_new_one(bench: Bench) -> None:
    clients = [bench.connect(b"GET", f"192.0.2.{number}")[0] for number in range(5)]
    assert (bench.dropped, bench.closed, len(bench.request_reader)) == ([DISPLACED], 1, 4)
    assert clients[0].recv(10) == b""
    bench.connect(GET, "192.0.2.9")  # one that is whole takes nobody's place
    assert (len(bench.requests), bench.closed) == (1, 1)


def test_a_kept_connection_waits_and_its_next_request_has_its_own_deadline(bench: Bench) -> None:
    client, conn = bench.connect(GET)
    bench.request_reader.returned(conn)
    bench.pass_ns(KEEP_NS - 1)
    client.sendall(GET[:4])
    bench.loop.dispatch(10.0)
    bench.pass_ns(REQUEST_NS - 1)
    assert bench.closed == 0
    client.sendall(GET[4:])
    bench.loop.dispatch(10.0)
    assert len(bench.requests) == 2
    bench.request_reader.returned(conn)
    bench.pass_ns(KEEP_NS)
    assert client.recv(10) == b""
    assert (bench.closed, bench.dropped) == (1, [])


def test_kept_connections_have_room_of_their_own(bench: Bench) -> None:
    half_open, _ = bench.connect(b"GET")
    for number in range(3):
        _, conn = bench.connect(GET, f"192.0.2.{10 + number}")
        bench.request_reader.returned(conn)
    assert (bench.dropped, len(bench.request_reader)) == ([DISPLACED], 3)
    half_open.sendall(GET[3:])
    bench.loop.dispatch(10.0)
    assert len(bench.requests) == 4


def test_a_worker_that_ends_waits_for_nobody_for_long(bench: Bench) -> None:
    bench.connect(b"GET")
    _, conn = bench.connect(GET)
    bench.request_reader.returned(conn)
    bench.request_reader.end(2_000_000_000)
    bench.connect(b"GE")  # just before it stopped listening
    bench.pass_ns(1_999_999_999)
    assert len(bench.request_reader) == 3
    bench.request_reader.end(2_000_000_000)  # twice is no reprieve
    bench.connect(b"G")
    bench.pass_ns(1)
    assert len(bench.request_reader) == 0
    bench.pass_ns(LINGER_NS)
    assert bench.closed == 4


def test_the_rest_of_a_response_is_sent_as_the_client_reads_it(bench: Bench) -> None:
    client, conn = bench.connect(GET)
    body = bytes(5_000_000)
    conn.sock.setblocking(True)
    conn.sock.sendall(body)
    conn.sock.sendall(b"end")
    bench.response_drain.flush(conn, bench.request_reader.returned)
    assert (len(bench.response_drain), len(bench.request_reader)) == (1, 0)
    got = b""
    while len(got) < len(body) + 3:
        got += client.recv(1 << 20)
        bench.loop.dispatch()
    assert got == body + b"end"
    assert (len(bench.response_drain), len(bench.request_reader)) == (0, 1)
    bench.requests.clear()


def test_a_client_that_takes_nothing_of_its_response_is_closed(bench: Bench) -> None:
    client, conn = bench.connect(GET)
    conn.sock.setblocking(True)
    conn.sock.sendall(bytes(5_000_000))
    bench.response_drain.flush(conn, bench.response_drain.linger)
    bench.pass_ns(STALL_NS - 1)
    client.recv(1 << 20)
    bench.loop.dispatch()
    bench.pass_ns(STALL_NS - 1)
    assert (bench.closed, bench.dropped) == (0, [])
    bench.pass_ns(1)
    assert (bench.closed, bench.dropped, len(bench.response_drain)) == (1, [UNREAD], 0)


def test_the_oldest_that_does_not_read_goes_for_a_new_one(bench: Bench) -> None:
    for number in range(5):
        _, conn = bench.connect(GET, f"192.0.2.{number}")
        conn.sock.setblocking(True)
        conn.sock.sendall(bytes(5_000_000))
        bench.response_drain.flush(conn, bench.response_drain.linger)
    assert (bench.closed, bench.dropped, len(bench.response_drain)) == (1, [UNREAD], 4)
