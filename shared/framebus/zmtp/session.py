"""What one peer says, from its greeting on: messages and subscriptions, each within bounds. Pure.

Whoever goes beyond a bound, or speaks something else, has Violation raised about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from framebus.zmtp.wire import (
    GREETING_SIZE,
    Frames,
    Violation,
    check_greeting,
    command,
    message,
    parse_command,
    ready,
    socket_type,
)

COMMAND_MAX: Final = 512
"""Bytes of a command: READY has some fifty, a subscription its prefix."""
PARTS_KEPT: Final = 4
"""Parts of a message that are kept; it has two or three, and of more only the number matters."""
PREFIXES_MAX: Final = 64
"""Subscriptions of one peer, of COMMAND_MAX bytes each at most."""
_PREFIX_OVERHEAD = 48  # bytes that a prefix costs besides its own
_CONTEXT_MAX = 16  # bytes of a PING that its PONG repeats


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of socket, ours."""

    name: bytes
    peers: frozenset[bytes]
    """What may be at the other end."""
    part_max: int
    """Bytes of a message's largest part."""
    opening: bytes = b""
    """What is sent as soon as the peer is ready."""

    @property
    def message_max(self) -> int:
        """Bytes of all parts together, and one for each: the others are a REQ's delimiters."""
        return self.part_max + 64


PUB: Final = Kind(b"PUB", frozenset({b"SUB", b"XSUB"}), COMMAND_MAX)
_TO_ALL = b"\x01"  # in the form of 3.0, which every PUB takes


def subscriber(part_max: int) -> Kind:
    """Return a SUB that wants everything."""
    return Kind(b"SUB", frozenset({b"PUB", b"XPUB"}), part_max, opening=message(_TO_ALL))


def caller(request: bytes, reply_max: int) -> Kind:
    """Return a DEALER that makes one call."""
    return Kind(b"DEALER", frozenset({b"ROUTER"}), reply_max, opening=message(request))


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message; `parts` are its first ones, `count` is how many it had."""

    parts: list[bytes]
    count: int


class Session:
    """One peer's."""

    def __init__(self, kind: Kind) -> None:
        """Begin at the greeting."""
        self._kind = kind
        self._frames = Frames()
        self._greeted = False
        self.ready = False
        """The handshake is done."""
        self.prefixes: tuple[bytes, ...] = ()
        """What the peer has subscribed to."""
        self._parts: list[bytes] = []
        self._count = 0
        self._size = 0

    @property
    def idle(self) -> bool:
        """Whether a message, whole, may be what comes next: nothing is under way."""
        return self.ready and not self._frames and not self._count

    @property
    def held(self) -> int:
        """Bytes that are kept of what the peer has sent."""
        subscribed = sum(len(prefix) + _PREFIX_OVERHEAD for prefix in self.prefixes)
        return len(self._frames) + self._size + subscribed

    def feed(self, data: bytes) -> None:
        """Take what has come."""
        self._frames.feed(data)

    def next(self) -> Message | bytes | None:
        """Return what comes next, None if there is no more to be made of what has come.

        Bytes are what the protocol wants sent back; subscriptions are carried out, into `prefixes`.
        Raises Violation.
        """
        if not self._greeted:
            greeting = self._frames.take(GREETING_SIZE)
            if greeting is None:
                return None
            check_greeting(greeting)
            self._greeted = True
            return ready(self._kind.name)
        while True:
            frame = self._frames.next(command_max=COMMAND_MAX, message_max=self._part_max())
            if frame is None:
                return None
            if frame.command:
                if (answer := self._on_command(*parse_command(frame.body))) is not None:
                    return answer
            elif (whole := self._on_part(frame.body, frame.more)) is not None:
                return whole

    def _part_max(self) -> int:
        if not self.ready:
            return -1  # there are only commands
        return min(self._kind.part_max, self._kind.message_max - self._size)

    def _on_command(self, name: bytes, data: bytes) -> bytes | None:
        if not self.ready:
            if name != b"READY" or socket_type(data) not in self._kind.peers:
                raise Violation("no peer for this kind of socket")
            self.ready = True
            return self._kind.opening or None
        match name:
            case b"SUBSCRIBE":
                self._subscribe(data)
            case b"CANCEL":
                self._cancel(data)
            case b"PING":
                return command(b"PONG", data[2 : 2 + _CONTEXT_MAX])
        return None

    def _on_part(self, body: bytes, more: bool) -> Message | None:
        # What is not kept counts as well, and so does an empty part: else one would never end.
        self._size += len(body) + 1
        self._count += 1
        if len(self._parts) < PARTS_KEPT:
            self._parts.append(body)
        if more:
            if self._size >= self._kind.message_max:
                raise Violation("a message that is too large")
            return None
        whole = Message(self._parts, self._count)
        self._parts, self._count, self._size = [], 0, 0
        if self._kind is not PUB:
            return whole
        if whole.count == 1 and body[:1] == b"\x01":
            self._subscribe(body[1:])
        elif whole.count == 1 and body[:1] == b"\x00":
            self._cancel(body[1:])
        return None

    def _subscribe(self, prefix: bytes) -> None:
        if self._kind is not PUB or prefix in self.prefixes:
            return
        if len(self.prefixes) >= PREFIXES_MAX:
            raise Violation("too many subscriptions")
        self.prefixes = (*self.prefixes, prefix)

    def _cancel(self, prefix: bytes) -> None:
        self.prefixes = tuple(each for each in self.prefixes if each != prefix)
