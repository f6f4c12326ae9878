"""The server of a control socket: what a ROUTER is to its callers. Main thread only.

It knows messages, not methods: a well-formed request goes to `call`, everything else gets an
error or is dropped, and is counted. It never blocks: a peer that does not take its answers loses
them. Form and size of messages are framebus.control.protocol's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from framebus.contract.documents import ControlDocument
from framebus.contract.words import Drop
from framebus.control import protocol
from framebus.control.protocol import ProtocolError, Reply, RequestId, parse_request
from framebus.zmtp.peer import Peer
from framebus.zmtp.server import Server
from framebus.zmtp.session import Kind, Message
from framebus.zmtp.wire import message as encoded

from capture_daemon.control.refusal import Answer, Refusal, refusal_of

_ROUTER = Kind(b"ROUTER", frozenset({b"DEALER", b"REQ", b"ROUTER"}), protocol.MESSAGE_MAX)
_READ_MAX = 16_384
_QUEUED = 2 * protocol.MESSAGE_MAX
"""Bytes of answers that a caller has not taken yet, beyond what the kernel keeps."""
_KERNEL_QUEUED = 16_384
_WORDS_MAX = 2000  # characters of an error; what it quotes may be as long as a request

Call = Callable[[str, Mapping[str, object], Answer], None]
"""Carry out a request: answer it now or later, or raise why not."""


class ControlServer(Server):
    """Binds on construction: the caller holds the camera's lock, since bind steals a path."""

    def __init__(self, *, path: Path, call: Call, group: int = -1) -> None:
        """Bind; `group` is the id of the group that may connect, -1 for the process's own.

        Raises NoPermission and OutOfResources.
        """
        self._call = call
        self.answered = 0
        self.dropped: Counter[Drop] = Counter()
        super().__init__(
            path,
            _ROUTER,
            self,
            read_max=_READ_MAX,
            queue_max=_QUEUED,
            kernel_max=_KERNEL_QUEUED,
            group=group,
        )

    def on_change(self, peer: Peer) -> None:
        """Nothing: nothing is kept of a caller."""

    def on_message(self, peer: Peer, message: Message) -> None:
        """Carry out a request, or say or count that it is none."""
        match message.parts:
            case [text]:
                before: list[bytes] = []
            case [*before, b"", text] if len(message.parts) == message.count:
                # A REQ sends, and wants, an empty delimiter, and before it what proxies put there
                # and its number (ZMQ_REQ_CORRELATE), https://rfc.zeromq.org/spec/28/.
                before.append(b"")
            case _:
                self.dropped["parts"] += 1
                return
        send = partial(self._send, peer, before)
        try:
            request = parse_request(text)
        except ProtocolError as error:
            self.dropped["malformed"] += 1
            send(Reply(error.id, code=error.code, message=error.message))
            return
        answer = _Answer(send, request.id, peer.account.user)
        try:
            self._call(request.method, request.params, answer)
        except Exception as error:  # noqa: BLE001  a bug must not end everybody else's capture
            answer.refuse(refusal_of(error, request.method))

    def _send(self, peer: Peer, before: list[bytes], reply: Reply) -> None:
        text = reply.encode()
        if len(text) > protocol.MESSAGE_MAX:
            message = f"the answer has {len(text)} bytes, over {protocol.MESSAGE_MAX}"
            text = Reply(reply.id, code=protocol.INTERNAL_ERROR, message=message).encode()
        if self.send(peer, encoded(*before, text)):
            self.answered += 1
        else:
            self.dropped["answers"] += 1  # the peer is gone, or does not read


def counts(servers: Sequence[ControlServer]) -> ControlDocument:
    """Return the `control` part of the status document."""
    dropped = sum((server.dropped for server in servers), Counter[Drop]())
    return {"answered": sum(server.answered for server in servers), "dropped": dict(dropped)}


class _Answer:
    """One request's way back; only the first answer is sent."""

    def __init__(self, send: Callable[[Reply], None], id_: RequestId, user: int) -> None:
        self.user = user
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
