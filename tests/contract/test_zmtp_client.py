"""Our SUB with our PUB and with libzmq's, and with peers that do what neither does."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import zmq
from framebus.listener import Subscription
from framebus.names import endpoint
from framebus.unix_sockets import bind
from framebus.zmtp.client import Client
from framebus.zmtp.publisher import Acceptor, Publisher
from framebus.zmtp.session import subscriber
from framebus.zmtp.wire import GREETING, command, message, ready

from tests.fakes.zmtp_peer import hung_up
from tests.helpers.waiting import until
from tests.helpers.zeromq import own_context

KIND = subscriber(100_000)
Send = Callable[[bytes], object]


@contextlib.contextmanager
def ours(path: Path) -> Iterator[Send]:
    acceptor = Acceptor()
    publisher = Publisher(acceptor, path, queue_max=1 << 20, kernel_max=8192)
    yield publisher.send
    publisher.close()
    acceptor.close()


@contextlib.contextmanager
def libzmqs(path: Path) -> Iterator[Send]:
    context = own_context()
    with context.socket(zmq.PUB) as pub:
        pub.linger = 0
        pub.bind(endpoint(path))
        yield pub.send
    context.term()
    path.unlink(missing_ok=True)


PUBLISHERS = pytest.mark.parametrize("publisher", [ours, libzmqs])
Publishers = Callable[[Path], contextlib.AbstractContextManager[Send]]


@pytest.fixture
def path(runtime: Path) -> Path:
    return runtime / "camera.frames"


@pytest.fixture
def subscription(runtime: Path, path: Path) -> Iterator[Subscription]:
    subscription = Subscription(runtime, path, KIND)
    yield subscription
    subscription.hang_up()


def heard(subscription: Subscription, send: Send, payload: bytes) -> list[bytes]:
    """Send until something is received, since it takes a moment until one has joined."""

    def tried() -> list[bytes]:
        subscription.connect()
        send(payload)
        return subscription.receive()

    return until(tried)


@PUBLISHERS
def test_what_is_published_is_heard_whole_and_in_order(
    publisher: Publishers, subscription: Subscription, path: Path
) -> None:
    with publisher(path) as send:
        assert set(heard(subscription, send, b"1")) == {b"1"}
        sent = [b"", b"x" * 255, b"y" * 256, bytes(range(256)) * 300, b"end"]
        for payload in sent:
            send(payload)
        got: list[bytes] = []

        def all_heard() -> bool:
            got.extend(each for each in subscription.receive() if each != b"1")
            return got[-1:] == [b"end"]

        until(all_heard)
        assert got == sent


@PUBLISHERS
def test_a_successor_is_heard_after_its_predecessor(
    publisher: Publishers, subscription: Subscription, path: Path
) -> None:
    opened: list[int] = []
    closed: list[int] = []
    subscription._opened, subscription._closing = opened.append, closed.append
    for payload in (b"first", b"second"):
        with publisher(path) as send:
            assert payload in heard(subscription, send, payload)
        until(lambda: not subscription.receive() and subscription.client is None)
    assert (len(opened), closed) == (2, opened)


@PUBLISHERS
def test_a_subscriber_needs_no_thread(
    publisher: Publishers, subscription: Subscription, path: Path
) -> None:
    with publisher(path) as send:
        before = len(os.listdir("/proc/self/task"))
        heard(subscription, send, b"1")
        assert len(os.listdir("/proc/self/task")) == before


def test_where_nobody_serves_it_is_tried_again_but_not_at_once(runtime: Path, path: Path) -> None:
    now = 0
    subscription = Subscription(runtime, path, KIND, clock=lambda: now)
    tried = []
    for _ in range(100):
        before = subscription._retry_ns
        subscription.connect()
        if subscription._retry_ns != before:
            tried.append(now // 1_000_000)
        now += 10_000_000
    assert tried == [0, 20, 60, 140, 300, 500, 700, 900]


@contextlib.contextmanager
def served(path: Path) -> Iterator[tuple[Client, socket.socket]]:
    """A client, and the other end of it, which the test plays."""
    with (
        bind(path) as listener,
        Client(path, KIND, os.geteuid()) as client,
        listener.accept()[0] as peer,
    ):
        peer.settimeout(30)
        yield client, peer


def test_what_another_user_serves_is_told_nothing(path: Path) -> None:
    with bind(path) as listener:
        with pytest.raises(PermissionError, match="serves it"):
            Client(path, KIND, os.geteuid() + 1)
        peer = listener.accept()[0]
        assert peer.recv(100) == b""
        peer.close()


def test_a_handshake_in_pieces_is_a_handshake(path: Path) -> None:
    with served(path) as (client, peer):
        idle, messages = [], []
        for byte in GREETING[:11] + b"\0" + GREETING[12:] + ready(b"PUB") + message(b"hint"):
            peer.send(bytes((byte,)))
            messages += client.receive()
            idle.append(client.idle)
        assert messages == [b"hint"]
        assert idle == [False] * (len(idle) - 7) + [True] + [False] * 5 + [True]
        said = peer.recv(4096)
        assert said == GREETING + ready(b"SUB") + message(b"\x01")


def test_a_ping_is_answered_and_messages_of_parts_are_passed_over(path: Path) -> None:
    with served(path) as (client, peer):
        peer.sendall(GREETING + ready(b"XPUB") + command(b"PING", b"\0\1four"))
        peer.sendall(message(b"two", b"parts") + message(b"one"))
        assert client.receive() == [b"one"]
        assert peer.recv(4096).endswith(command(b"PONG", b"four"))


def over(client: Client) -> bool:
    """Take what has come; tell whether that ended the connection."""
    try:
        client.receive()
    except OSError:
        return True
    return False


GREETED = GREETING + ready(b"PUB")


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n".ljust(64),
        GREETING + ready(b"ROUTER"),
        GREETING + message(b"before the end of the handshake"),
        GREETED + b"\xff\xff",
        GREETED + message(bytes(100_001)),
        GREETED + message(*[bytes(60_000)] * 2),
        b"",
    ],
)
def test_what_is_no_publisher_is_hung_up_on(path: Path, said: bytes) -> None:
    with served(path) as (client, peer):
        peer.sendall(said)
        peer.shutdown(socket.SHUT_WR)
        until(partial(over, client))
        client.close()
        assert hung_up(peer)


def test_a_flood_of_pings_that_takes_no_answer_is_hung_up_on(path: Path) -> None:
    with served(path) as (client, peer):
        peer.sendall(GREETED)
        client.receive()

        def flooded() -> bool:
            peer.sendall(command(b"PING", b"\0\1" + bytes(16)) * 2000)
            return over(client)

        until(flooded)
