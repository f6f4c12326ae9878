"""The server of a control socket: a ROUTER that survives whatever is sent to it. Main thread only.

It knows messages, not methods: a well-formed request goes to `call`, everything else gets an
error or is dropped, and is counted. It never blocks: a peer that does not take its answers loses
them. Form and size of messages are framebus.control.protocol's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import zmq
from framebus.control import protocol
from framebus.control.protocol import ProtocolError, Reply, Request, RequestId, parse_request
from framebus.notify import bind

from capture_daemon.capturing.reports import log_bug
from capture_daemon.control.refusal import Answer, Refusal

_QUEUED = 64
"""Messages per peer that ZeroMQ holds in each direction."""
_AT_ONCE = 64
"""Requests handled before the loop looks at its other duties."""
_PARTS_KEPT = 4
_WORDS_MAX = 2000  # characters of an error; what it quotes may be as long as a request
_LINGER_MS = 200
"""What the answer to `shutdown` gets to leave."""

Call = Callable[[str, Mapping[str, object], Answer], None]


class ControlServer:
    """Binds on construction: the caller holds the camera's lock, since bind steals a path."""

    def __init__(
        self,
        *,
        context: zmq.Context[zmq.Socket[bytes]],
        path: Path,
        call: Call,
        group: int = -1,
    ) -> None:
        """Bind; `group` is the id of the group that may connect, -1 for the process's own.

        Raises NoPermission.
        """
        self._path = path
        self._call = call
        self.answered = 0
        self.dropped: Counter[str] = Counter()
        self.socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
        self.socket.linger = _LINGER_MS
        self.socket.setsockopt(zmq.MAXMSGSIZE, protocol.MESSAGE_MAX)
        self.socket.setsockopt(zmq.RCVHWM, _QUEUED)
        self.socket.setsockopt(zmq.SNDHWM, _QUEUED)
        # Otherwise an answer that cannot be delivered would vanish uncounted.
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        bind(self.socket, path, group=group)

    def receive(self) -> bool:
        """Handle what has arrived; True if there may be more."""
        for _ in range(_AT_ONCE):
            parts = self._parts()
            if parts is None:
                return False
            self._on_message(parts)
        return True

    def close(self) -> None:
        """Close the socket and remove its file."""
        self.socket.close()
        self._path.unlink(missing_ok=True)

    def _parts(self) -> list[bytes] | None:
        """Return one message, cut after a few parts; None if there is none."""
        try:
            parts = [self.socket.recv(zmq.DONTWAIT)]
            while self.socket.getsockopt(zmq.RCVMORE):
                part = self.socket.recv(zmq.DONTWAIT)
                if len(parts) < _PARTS_KEPT:
                    parts.append(part)
        except zmq.Again:
            return None
        return parts

    def _on_message(self, parts: list[bytes]) -> None:
        match parts:
            case [peer, text]:
                route = [peer]
            case [peer, b"", text]:  # a REQ sends, and wants, an empty delimiter
                route = [peer, b""]
            case _:
                self.dropped["parts"] += 1
                return
        try:
            request = parse_request(text)
        except ProtocolError as error:
            self.dropped["malformed"] += 1
            self._send(route, Reply(error.id, code=error.code, message=error.message))
            return
        self._handle(route, request)

    def _handle(self, route: list[bytes], request: Request) -> None:
        answer = _Answer(lambda reply: self._send(route, reply), request.id)
        try:
            self._call(request.method, request.params, answer)
        except Exception as error:  # noqa: BLE001
            # A bug in one method must not end the capture of everybody else.
            log_bug(f"a bug in the control method {request.method[:64]!r}", error)
            answer.refuse(Refusal(protocol.INTERNAL_ERROR, "a bug in the daemon; its log has it"))

    def _send(self, route: list[bytes], reply: Reply) -> None:
        text = reply.encode()
        if len(text) > protocol.MESSAGE_MAX:
            message = f"the answer has {len(text)} bytes, over {protocol.MESSAGE_MAX}"
            text = Reply(reply.id, code=protocol.INTERNAL_ERROR, message=message).encode()
        try:
            self.socket.send_multipart([*route, text], zmq.DONTWAIT)
        except zmq.ZMQError as error:
            if error.errno not in (zmq.EAGAIN, zmq.EHOSTUNREACH):
                raise
            self.dropped["answers"] += 1  # the peer is gone, or does not read
        else:
            self.answered += 1


def counts(servers: Sequence[ControlServer]) -> dict[str, object]:
    """Return the `control` part of the status document."""
    dropped = sum((server.dropped for server in servers), Counter[str]())
    return {"answered": sum(server.answered for server in servers), "dropped": dict(dropped)}


class _Answer:
    """One request's way back; only the first answer is sent."""

    def __init__(self, send: Callable[[Reply], None], id_: RequestId) -> None:
        self._send = send
        self._id = id_
        self._done = False

    def result(self, result: Mapping[str, object]) -> None:
        self._reply(Reply(self._id, result=result))

    def refuse(self, refusal: Refusal) -> None:
        self._reply(Reply(self._id, code=refusal.code, message=refusal.message[:_WORDS_MAX]))

    def _reply(self, reply: Reply) -> None:
        if not self._done:
            self._done = True
            self._send(reply)
