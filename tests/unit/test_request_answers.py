"""Requests that are answered in the loop: in turn, on kept connections, as far as clients read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rigs.request_reader import GET, KEEP_NS, Bench
from web_workers.admission.direct_answer import DirectAnswer
from web_workers.admission.request_reader import DISPLACED, REQUEST_NS
from web_workers.admission.response_drain import STALL_NS, UNREAD
from web_workers.wire.bounded_events import MOST
from web_workers.wire.linger import LINGER_NS

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
LARGE = bytes(5_000_000)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    bench.answer = lambda _request: DirectAnswer([memoryview(ANSWER)], last=False)
    yield bench
    bench.close()


def read(bench: Bench, number: int, size: int) -> bytes:
    """Read so much as the client `number`, while the loop runs."""
    client, data = bench.clients[number], bytearray()
    client.setblocking(False)
    while len(data) < size:
        bench.pass_ns(1)
        try:
            data += client.recv(size - len(data))
        except BlockingIOError:
            bench.loop.dispatch(0.05)
    return bytes(data)


def test_a_kept_connection_is_answered_again_and_again(bench: Bench) -> None:
    client, _ = bench.connect(GET)
    assert client.recv(4096) == ANSWER
    for _ in range(20):
        client.sendall(GET)
        bench.loop.dispatch(10.0)
        assert client.recv(4096) == ANSWER
    assert (bench.requests, bench.dropped, bench.closed) == ([], [], 0)
    assert len(bench.request_reader) == 1
    assert len(bench.loop._timers) == 1


def test_after_an_answer_it_is_kept_for_as_long_as_after_any_other(bench: Bench) -> None:
    client, _ = bench.connect(GET)
    assert client.recv(4096) == ANSWER
    bench.pass_ns(KEEP_NS - 1)
    client.sendall(GET)
    bench.loop.dispatch(10.0)
    assert client.recv(4096) == ANSWER
    bench.pass_ns(KEEP_NS - 1)
    assert bench.closed == 0
    bench.pass_ns(1)
    assert client.recv(4096) == b""
    assert (bench.closed, bench.dropped) == (1, [])


def test_the_next_request_has_its_own_deadline(bench: Bench) -> None:
    client, _ = bench.connect(GET)
    assert client.recv(4096) == ANSWER
    bench.pass_ns(KEEP_NS - 1)
    client.sendall(GET[:5])
    bench.loop.dispatch(10.0)
    bench.pass_ns(REQUEST_NS - 1)
    assert bench.closed == 0
    bench.pass_ns(1)
    assert client.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_who_says_that_this_is_all_is_closed_after_the_answer(bench: Bench) -> None:
    bench.answer = lambda _request: DirectAnswer([memoryview(ANSWER)], last=True)
    client, _ = bench.connect(GET)
    assert client.recv(4096) == ANSWER
    assert client.recv(4096) == b""
    assert (bench.closed, len(bench.request_reader), len(bench.response_drain)) == (1, 0, 0)


def test_who_says_that_and_goes_on_is_waited_for_with_the_answer(bench: Bench) -> None:
    bench.answer = lambda _request: DirectAnswer([memoryview(ANSWER)], last=True)
    client, _ = bench.connect(GET + GET)
    assert client.recv(4096) == ANSWER
    assert client.recv(4096) == b""
    assert (bench.closed, len(bench.response_drain)) == (0, 1)
    client.close()
    bench.loop.dispatch(10.0)
    assert bench.closed == 1


def test_requests_that_are_sent_ahead_are_answered_one_in_a_turn(bench: Bench) -> None:
    ahead, _ = bench.connect(GET * 50)
    other, _ = bench.connect(address="192.0.2.2")
    assert ahead.recv(4096) == ANSWER
    other.sendall(GET)
    for _ in range(3):
        bench.pass_ns(1)
    assert other.recv(4096) == ANSWER  # long before the fifty are answered
    assert len(ahead.recv(65_536)) <= 4 * len(ANSWER)
    for _ in range(50):
        bench.pass_ns(1)
    assert len(ahead.recv(65_536)) >= 40 * len(ANSWER)
    assert (len(bench.request_reader), bench.closed) == (2, 0)


def test_many_who_send_ahead_hold_the_loop_up_by_a_few_answers(bench: Bench) -> None:
    asked: list[bytes] = []

    def answer(request: bytes) -> DirectAnswer:
        asked.append(request)
        return DirectAnswer([memoryview(ANSWER)], last=False)

    bench.answer = answer
    for number in range(4):
        bench.connect(GET * 30, f"192.0.2.{number}")
    for _ in range(10):
        before = len(asked)
        bench.pass_ns(1)
        assert len(asked) - before <= 2 * MOST
    for _ in range(200):
        bench.pass_ns(1)
    assert len(asked) == 4 * 30


def test_what_is_not_answered_here_goes_on_with_what_follows_it(bench: Bench) -> None:
    usual = bench.answer
    bench.answer = lambda request: None if request.startswith(b"HEAD") else usual(request)
    head = GET.replace(b"GET", b"HEAD")
    client, conn = bench.connect(GET + head + GET)
    for _ in range(3):
        bench.pass_ns(1)
    assert bench.requests == [(conn, head)]
    assert (bytes(conn.ahead), len(bench.request_reader)) == (GET, 0)
    bench.request_reader.returned(conn)
    assert client.recv(4096) == 2 * ANSWER


def test_a_client_that_reads_slowly_gets_all_of_it_and_is_kept(bench: Bench) -> None:
    bench.answer = lambda _request: DirectAnswer(
        [memoryview(ANSWER), memoryview(LARGE)], last=False
    )
    bench.connect(GET + GET)
    assert (len(bench.response_drain), len(bench.request_reader)) == (1, 0)
    assert read(bench, 0, 2 * (len(ANSWER) + len(LARGE))) == (ANSWER + LARGE) * 2
    bench.pass_ns(1)
    assert (len(bench.response_drain), len(bench.request_reader)) == (0, 1)
    assert (bench.closed, bench.dropped) == (0, [])


def test_what_slow_clients_have_not_read_is_not_copied_for_each(bench: Bench) -> None:
    bench.answer = lambda _request: DirectAnswer([memoryview(ANSWER), memoryview(LARGE)], last=True)
    for number in range(4):
        bench.connect(GET, f"192.0.2.{number}")
    sendings = list(bench.response_drain._closing.values())
    assert len(sendings) == 4
    for sending in sendings:
        assert sending._rest[-1].obj is LARGE  # type: ignore[union-attr]
    bench.pass_ns(STALL_NS)
    assert (bench.dropped, bench.closed) == ([UNREAD] * 4, 4)


def test_a_client_that_left_before_its_answer_is_forgotten(bench: Bench) -> None:
    client, conn = bench.connect(GET)
    client.recv(4096)
    client.sendall(GET)
    client.close()
    bench.loop.dispatch(10.0)
    bench.loop.dispatch()
    assert (bench.closed, len(bench.request_reader), conn.sock.fileno()) == (1, 0, -1)


def test_one_that_has_asked_again_is_not_displaced_as_if_it_were_idle(bench: Bench) -> None:
    for number in range(3):  # two may be kept
        client, _ = bench.connect(GET, f"192.0.2.{number}")
        client.recv(4096)
        client.sendall(GET)
    assert (bench.dropped, len(bench.request_reader)) == ([], 3)
    for _ in range(3):
        bench.loop.dispatch()
    assert [client.recv(4096) for client in bench.clients] == [ANSWER] * 3
    assert bench.dropped == [DISPLACED]  # now they are idle, and one too many
    assert bench.closed == 1


def test_a_worker_that_ends_answers_nothing_in_the_loop(bench: Bench) -> None:
    client, conn = bench.connect(GET)
    client.recv(4096)
    bench.request_reader.end(LINGER_NS)
    client.sendall(GET)
    bench.loop.dispatch(10.0)
    assert bench.requests == [(conn, GET)]
