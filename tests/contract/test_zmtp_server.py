"""The server of ZMTP with peers that do what libzmq never does; what is kept of them is bounded."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.zmtp import server
from framebus.zmtp.accounts import CONNECTIONS
from framebus.zmtp.peer import Peer
from framebus.zmtp.server import HANDSHAKE_NS, Server
from framebus.zmtp.session import Kind, Message
from framebus.zmtp.wire import GREETING, message, ready

from tests.fakes.zmtp_peer import MORE, connect, header, hung_up

ECHO = Kind(b"ROUTER", frozenset({b"DEALER", b"REQ"}), 65_536)


@pytest.fixture
def path(runtime: Path) -> Path:
    return runtime / "camera.frames"


class Echo:
    """A server that sends every message back, and whose clock is set by hand."""

    def __init__(self, path: Path) -> None:
        self.now_ns = 0
        self.server = Server(
            path,
            ECHO,
            self,
            read_max=4096,
            queue_max=65_536,
            kernel_max=8192,
            clock=lambda: self.now_ns,
        )

    def on_message(self, peer: Peer, message_: Message) -> None:
        self.server.send(peer, message(*message_.parts))

    def on_change(self, peer: Peer) -> None:
        pass

    def serve(self, times: int = 50) -> None:
        for _ in range(times):
            self.server.step()


@pytest.fixture
def echo(path: Path) -> Iterator[Echo]:
    echo = Echo(path)
    yield echo
    echo.server.close()


def test_who_has_not_greeted_in_time_is_hung_up_on(echo: Echo, path: Path) -> None:
    with connect(path) as slow, connect(path) as quick:
        quick.sendall(GREETING + b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER")
        slow.sendall(GREETING[:30])
        echo.serve()
        echo.now_ns = HANDSHAKE_NS
        echo.serve()
        assert hung_up(slow)
        quick.sendall(message(b"still here"))
        echo.serve()
        assert quick.recv(65536).endswith(message(b"still here"))


def test_one_user_has_so_many_connections_and_the_oldest_that_said_nothing_goes(
    echo: Echo, path: Path
) -> None:
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(connect(path))
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        for _ in range(min(CONNECTIONS, descriptors // 16)):
            stack.enter_context(connect(path))
            echo.serve(2)
        assert hung_up(first)


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become other users")
def test_users_with_a_connection_each_do_not_keep_out_who_could_end_the_process(
    echo: Echo, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(echo.server, "_most", 4)
    path.chmod(0o666)
    path.parent.chmod(0o755)
    with contextlib.ExitStack() as stack:
        for user in range(61_100, 61_106):
            os.seteuid(user)
            try:
                stack.enter_context(connect(path))
            finally:
                os.seteuid(0)
            echo.serve()
        own = stack.enter_context(connect(path))
        echo.serve()
        assert own.recv(len(GREETING), socket.MSG_WAITALL) == GREETING


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become other users")
def test_of_many_users_so_much_is_kept_and_who_keeps_most_is_hung_up_on(
    echo: Echo, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HELD_IN_ALL", 3500)
    path.chmod(0o666)
    path.parent.chmod(0o755)
    with contextlib.ExitStack() as stack:
        peers = []
        for user, size in ((61_100, 3000), (61_101, 1000)):
            os.seteuid(user)
            try:
                peers.append(stack.enter_context(connect(path)))
            finally:
                os.seteuid(0)
            part = header(MORE, size) + bytes(size)
            peers[-1].sendall(GREETING + ready(b"DEALER") + part)
            echo.serve()
        greedy, modest = peers
        assert hung_up(greedy)
        modest.sendall(message(b"the last part"))
        echo.serve()
        assert b"the last part" in modest.recv(65_536)


def test_a_peer_that_has_hung_up_has_its_last_messages_taken(echo: Echo, path: Path) -> None:
    taken: list[Message] = []
    echo.on_message = lambda peer, message_: taken.append(message_)  # type: ignore[method-assign]
    with connect(path) as raw:
        raw.sendall(GREETING + b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER")
        raw.sendall(message(b"parting words") * 10)
    echo.serve()
    assert len(taken) == 10


def test_without_a_descriptor_left_those_that_are_connected_go_on(echo: Echo, path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with connect(path) as raw:
        raw.sendall(GREETING + b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER")
        echo.serve()
        with connect(path) as second:
            lowest = second.fileno() + 1
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
            try:
                echo.serve()
                raw.sendall(message(b"still here"))
                echo.serve()
                assert raw.recv(65536).endswith(message(b"still here"))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            echo.now_ns += 1_000_000_000
            echo.serve()
            assert second.recv(64, socket.MSG_WAITALL) == GREETING
