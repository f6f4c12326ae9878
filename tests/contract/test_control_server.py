"""The control server and its handlers on a real ROUTER, driven in-process by a raw DEALER."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import zmq
from framebus.control import protocol
from framebus.errors import NoPermission
from framebus.names import CameraNames, endpoint
from framebus.notifier import EventNotifier, Notifier
from framebus.zmtp.publisher import Acceptor

from capture_daemon.control.refusal import Answer
from capture_daemon.control.server import ControlServer
from tests.helpers.waiting import until
from tests.helpers.zeromq import own_context

REFUSED = {"parse": -32700, "request": -32600, "method": -32601, "params": -32602}


class Bench:
    """A server whose one method answers what it got, and a peer that sends raw parts."""

    def __init__(self, runtime: Path) -> None:
        self.context = own_context()
        path = CameraNames(runtime, "camera").control_socket
        self.server = ControlServer(path=path, call=self._call)
        self.kept: list[Answer] = []
        self.peer = self.connect(path)

    def connect(self, path: Path, kind: int = zmq.DEALER) -> zmq.Socket[bytes]:
        peer = self.context.socket(kind)
        peer.linger = 0
        peer.connect(endpoint(path))
        return peer

    def _call(self, name: str, params: Any, answer: Answer) -> None:
        match name:
            case "echo":
                answer.result({"got": params})
            case "later":
                self.kept.append(answer)
            case "long":
                answer.result({"text": "x" * protocol.MESSAGE_MAX})
            case "bug":
                raise ZeroDivisionError("a bug")

    def exchange(self, *parts: bytes, peer: zmq.Socket[bytes] | None = None) -> list[bytes]:
        """Send one message, serve, and return what comes back; [] if nothing does in 10 s."""
        peer = peer or self.peer
        peer.send_multipart(parts)
        for _ in range(2000):
            self.server.step()
            if peer.poll(5):
                return peer.recv_multipart()
        return []

    def document(self, text: bytes) -> dict[str, Any]:
        parts = self.exchange(text)
        assert len(parts) == 1
        document: dict[str, Any] = json.loads(parts[0])
        return document

    def close(self) -> None:
        self.peer.close()
        self.server.close()
        self.context.term()


@pytest.fixture
def bench(runtime: Path) -> Iterator[Bench]:
    bench = Bench(runtime)
    yield bench
    bench.close()


def request(method: str, id_: object = 7, **params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode()


def test_a_request_gets_its_result_under_its_id(bench: Bench) -> None:
    reply = bench.document(request("echo", "my id", a=1))
    assert reply == {"jsonrpc": "2.0", "id": "my id", "result": {"got": {"a": 1}}}


def test_a_req_socket_gets_its_delimiter_back(bench: Bench, runtime: Path) -> None:
    peer = bench.connect(CameraNames(runtime, "camera").control_socket, zmq.REQ)
    try:
        assert b'"result"' in bench.exchange(request("echo"), peer=peer)[-1]
    finally:
        peer.close()


@pytest.mark.parametrize("before", [[b"\0\0\0\x01"], [b"a proxy's", b"one more's"]])
def test_what_stands_before_the_delimiter_comes_back(bench: Bench, before: list[bytes]) -> None:
    *envelope, text = bench.exchange(*before, b"", request("echo"))
    assert envelope == [*before, b""]
    assert json.loads(text)["result"] == {"got": {}}


def test_a_req_socket_that_numbers_its_requests_gets_its_answer(
    bench: Bench, runtime: Path
) -> None:
    peer = bench.context.socket(zmq.REQ)
    peer.linger = 0
    peer.setsockopt(zmq.REQ_CORRELATE, 1)
    peer.connect(endpoint(CameraNames(runtime, "camera").control_socket))
    try:
        assert b'"result"' in bench.exchange(request("echo"), peer=peer)[-1]
    finally:
        peer.close()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "parse"),
        (b"\xff\xfe\x00", "parse"),
        (b"{", "parse"),
        (b"[" * 60_000, "parse"),
        (b'{"a":' * 10_000, "parse"),
        (b"9" * 60_000, "parse"),
        (b'{"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":NaN}}', "parse"),
        (b"[]", "request"),
        (b"null", "request"),
        (b"[" + request("echo") + b"," + request("echo") + b"]", "request"),
        (b'{"jsonrpc":"2.0","method":"echo"}', "request"),
        (b'{"jsonrpc":"1.0","id":1,"method":"echo"}', "request"),
        (b'{"jsonrpc":"2.0","id":true,"method":"echo"}', "request"),
        (b'{"jsonrpc":"2.0","id":1,"method":["echo"]}', "request"),
        (b'{"jsonrpc":"2.0","id":1,"method":"echo","params":[1]}', "request"),
    ],
)
def test_what_is_no_request_gets_an_error_and_is_counted(
    bench: Bench, text: bytes, code: str
) -> None:
    assert bench.document(text)["error"]["code"] == REFUSED[code]
    assert bench.server.dropped["malformed"] == 1
    assert "result" in bench.document(request("echo"))


def test_a_message_of_many_parts_is_dropped_and_counted(bench: Bench) -> None:
    bench.peer.send_multipart([b"part"] * 5000)
    assert bench.exchange(request("echo"))
    assert bench.server.dropped == {"parts": 1}


def test_a_message_over_the_limit_costs_its_sender_the_connection_only(
    bench: Bench, runtime: Path
) -> None:
    other = bench.connect(CameraNames(runtime, "camera").control_socket)
    try:
        other.send(b" " * (protocol.MESSAGE_MAX + 1))
        assert b'"result"' in bench.exchange(request("echo"))[0]
        assert not other.poll(200)
    finally:
        other.close()


def test_an_answer_may_come_later_and_comes_once(bench: Bench) -> None:
    bench.peer.send(request("later"))
    assert b'"got"' in bench.exchange(request("echo"))[0]
    bench.kept[0].result({"at": "last"})
    bench.kept[0].result({"again": True})
    assert json.loads(bench.peer.recv())["result"] == {"at": "last"}
    assert not bench.peer.poll(100)


def test_an_answer_to_a_peer_that_is_gone_is_counted(bench: Bench, runtime: Path) -> None:
    gone = bench.connect(CameraNames(runtime, "camera").control_socket)
    for _ in range(200):
        gone.send(request("later"))

    def taken() -> bool:
        bench.server.step()
        return len(bench.kept) == 200

    until(taken)
    gone.close()

    def noticed() -> bool:
        bench.kept.pop().result({})
        return bench.server.dropped["answers"] > 0

    until(noticed)
    assert b'"result"' in bench.exchange(request("echo"))[0]


def test_an_answer_that_is_too_long_becomes_an_error(bench: Bench) -> None:
    assert bench.document(request("long"))["error"]["code"] == protocol.INTERNAL_ERROR


def test_a_bug_in_a_method_is_an_error_to_its_caller_and_nobody_else(bench: Bench) -> None:
    assert bench.document(request("bug"))["error"]["code"] == protocol.INTERNAL_ERROR
    assert "result" in bench.document(request("echo"))


def test_a_peer_that_never_reads_blocks_nobody(bench: Bench, runtime: Path) -> None:
    deaf = bench.connect(CameraNames(runtime, "camera").control_socket)
    try:
        deaf.setsockopt(zmq.RCVHWM, 1)

        def dropped() -> int:
            for _ in range(32):
                with suppress(zmq.Again):  # its own queue is full until the server has read on
                    deaf.send(request("echo", text="x" * 2000), zmq.DONTWAIT)
                bench.server.step()
            return bench.server.dropped["answers"]

        until(dropped, what="an answer that is not taken")
        assert b'"result"' in bench.exchange(request("echo"))[0]
    finally:
        deaf.close()


def test_a_path_that_is_taken_is_named_and_leaves_no_socket_behind(runtime: Path) -> None:
    names = CameraNames(runtime, "camera")
    acceptor = Acceptor()
    for path in (names.control_socket, names.frames_socket, names.events_socket):
        path.mkdir()
        (path / "kept").touch()
    with pytest.raises(NoPermission, match=r"camera\.control"):
        ControlServer(path=names.control_socket, call=lambda *_: None)
    with pytest.raises(NoPermission, match=r"camera\.frames"):
        Notifier(acceptor, names)
    with pytest.raises(NoPermission, match=r"camera\.events"):
        EventNotifier(acceptor, names)
    acceptor.close()
