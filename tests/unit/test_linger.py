from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from web_workers.wire.linger import LINGER_NS, linger
from web_workers.wire.loop import StreamLoop


class Bench:
    def __init__(self) -> None:
        self.now = 0
        self.closed = 0
        self.loop = StreamLoop(clock=lambda: self.now)
        self.ours, self.client = socket.socketpair()
        self.client.settimeout(30)

    def on_closed(self) -> None:
        self.closed += 1

    def start(self) -> None:
        linger(self.loop, self.ours, self.on_closed)

    def close(self) -> None:
        self.client.close()
        self.ours.close()
        self.loop.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_the_client_sees_the_end_and_its_own_close_ends_it(bench: Bench) -> None:
    bench.ours.send(b"response")
    bench.start()
    assert bench.client.recv(100) == b"response"
    assert bench.client.recv(100) == b""
    assert bench.closed == 0
    bench.client.sendall(b"late words")
    bench.loop.dispatch(10.0)
    assert bench.closed == 0
    bench.client.close()
    bench.loop.dispatch(10.0)
    assert bench.closed == 1
    assert bench.loop.timeout_s(99.0) == 99.0


def test_a_client_that_stays_is_closed_after_two_seconds(bench: Bench) -> None:
    bench.start()
    bench.now = LINGER_NS
    bench.loop.dispatch()
    assert (bench.closed, bench.ours.fileno()) == (1, -1)


def test_a_client_that_goes_on_talking_is_cut_off(bench: Bench) -> None:
    bench.start()
    bench.client.setblocking(False)
    while not bench.closed:
        try:
            bench.client.send(bytes(4096))
        except OSError:
            break
        bench.loop.dispatch()
    assert bench.closed == 1


def test_a_client_that_is_gone_already_costs_nothing(bench: Bench) -> None:
    bench.ours.close()
    bench.start()
    assert bench.closed == 1
