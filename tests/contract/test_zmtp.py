"""Our PUB with libzmq's SUB, and ours with peers that do what libzmq's do not."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import zmq
from framebus.names import endpoint
from framebus.zmtp.publisher import Acceptor, Publisher
from framebus.zmtp.wire import GREETING, message

from tests.fakes.zmtp_peer import connect, greet, hung_up, subscription
from tests.helpers.waiting import until
from tests.helpers.zeromq import own_context


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context = own_context()
    yield context
    context.term()


@pytest.fixture
def path(runtime: Path) -> Path:
    return runtime / "camera.frames"


@pytest.fixture
def publisher(path: Path) -> Iterator[Publisher]:
    acceptor = Acceptor()
    publisher = Publisher(acceptor, path, queue_max=65_536, kernel_max=8192)
    yield publisher
    publisher.close()
    acceptor.close()


@contextlib.contextmanager
def subscriber(
    context: zmq.Context[zmq.Socket[bytes]], path: Path, *prefixes: bytes, **options: int
) -> Iterator[zmq.Socket[bytes]]:
    with context.socket(zmq.SUB) as sub:
        sub.linger = 0
        for name, value in options.items():
            sub.setsockopt(getattr(zmq, name), value)
        for prefix in prefixes:
            sub.setsockopt(zmq.SUBSCRIBE, prefix)
        sub.connect(endpoint(path))
        yield sub


def heard(publisher: Publisher, sub: zmq.Socket[bytes], payload: bytes) -> bytes:
    """Send until something is received, since it takes a moment until one has joined."""

    def tried() -> bytes | None:
        publisher.send(payload)
        return sub.recv() if sub.poll(5) else None

    return until(tried) or b""


def unheard(publisher: Publisher, sub: zmq.Socket[bytes], payload: bytes) -> bool:
    """Send, and tell whether it is not received any more."""
    publisher.send(payload)
    while sub.poll(50):
        if sub.recv() == payload:
            return False
    return True


def test_a_subscriber_hears_what_begins_with_its_prefix(
    context: zmq.Context[zmq.Socket[bytes]], publisher: Publisher, path: Path
) -> None:
    with subscriber(context, path, b"a", b"bc") as sub:
        assert heard(publisher, sub, b"a1") == b"a1"
        while sub.poll(20):
            sub.recv()
        for payload in (b"b", b"", b"ca", b"bcd", b"z"):
            publisher.send(payload)
        assert sub.recv() == b"bcd"
        sub.setsockopt(zmq.UNSUBSCRIBE, b"bc")
        until(partial(unheard, publisher, sub, b"bc"))
        assert heard(publisher, sub, b"a2") == b"a2"


def test_a_subscriber_with_heartbeats_stays_connected(
    context: zmq.Context[zmq.Socket[bytes]], publisher: Publisher, path: Path
) -> None:
    often = {"HEARTBEAT_IVL": 10, "HEARTBEAT_TIMEOUT": 2000, "RECONNECT_IVL": -1}
    with subscriber(context, path, b"", **often) as sub:
        heard(publisher, sub, b"1")
        deadline = time.monotonic() + 0.3
        until(lambda: time.monotonic() > deadline)  # thirty of them
        assert heard(publisher, sub, b"2")


def test_a_message_larger_than_the_kernel_queues_arrives_whole(
    context: zmq.Context[zmq.Socket[bytes]], publisher: Publisher, path: Path
) -> None:
    with subscriber(context, path, b"") as sub:
        heard(publisher, sub, b"1")
        large = bytes(range(256)) * 1000
        publisher.send(large)
        got = b""
        while got != large:
            assert sub.poll(10_000)
            got = sub.recv()


def test_a_subscriber_comes_back_to_a_successor(
    context: zmq.Context[zmq.Socket[bytes]], path: Path
) -> None:
    acceptor = Acceptor()
    with subscriber(context, path, b"", RECONNECT_IVL=10) as sub:
        for payload in (b"first", b"second"):
            publisher = Publisher(acceptor, path, queue_max=0, kernel_max=8192)
            assert heard(publisher, sub, payload) in (b"first", payload)
            publisher.close()
    acceptor.close()
    assert not path.exists()


def test_a_peer_of_zmtp_3_0_is_served_too(publisher: Publisher, path: Path) -> None:
    with connect(path) as raw:
        greet(raw, b"SUB", GREETING[:11] + b"\x00" + GREETING[12:])
        raw.sendall(message(b"\x01"))
        raw.settimeout(0.01)
        got = b""

        def received() -> bytes:
            publisher.send(b"hint")
            with contextlib.suppress(TimeoutError):
                return raw.recv(6)
            return b""

        got = until(received)
        assert got == message(b"hint")


def test_a_subscriber_that_reads_nothing_loses_messages_and_others_do_not(
    context: zmq.Context[zmq.Socket[bytes]], publisher: Publisher, path: Path
) -> None:
    with connect(path) as deaf, subscriber(context, path, b"") as sub:
        greet(deaf, b"SUB")
        deaf.sendall(subscription(b""))
        heard(publisher, sub, b"1")
        for _ in range(2000):
            publisher.send(bytes(100))
        assert heard(publisher, sub, b"last")


def test_a_wrong_kind_of_peer_is_hung_up_on(publisher: Publisher, path: Path) -> None:
    with connect(path) as raw:
        raw.sendall(GREETING)
        raw.recv(64, socket.MSG_WAITALL)
        raw.sendall(b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x04PUSH")
        assert hung_up(raw)


def test_the_daemon_needs_no_libzmq_to_run() -> None:
    program = (
        "import sys, capture_daemon.main, capture_daemon.parts, capture_daemon.daemon\n"
        "print(*sorted({'zmq', 'framebus.zmtp.server'} & sys.modules.keys()))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert output.split() == ["framebus.zmtp.server"]
