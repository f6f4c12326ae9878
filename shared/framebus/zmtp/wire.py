"""The bytes of ZMTP 3.1 with the NULL mechanism, https://rfc.zeromq.org/spec/37/. Pure.

    greeting   FF, eight bytes, 7F | version 3, 1 | mechanism (20) | as-server (1) | zeros (31)
    frame      flags | size: one byte, or eight (big-endian) with LONG | body
    flags      1 MORE: the message goes on | 2 LONG | 4 COMMAND
    command    length of its name (1) | name | data
    READY      its data: length (1), name, length (4, big-endian), value; again and again

A peer of version 3.0 subscribes by messages, a byte 1 or 0 and the prefix; one of 3.1 by commands.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

GREETING_SIZE: Final = 64
GREETING: Final = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
_MORE, _LONG, _COMMAND = 1, 2, 4
_SHORT_MAX = 255
_LENGTH = struct.Struct(">Q")
_VALUE_LENGTH = 4


class Violation(Exception):
    """What a peer of ours never sends: it is hung up on."""


class Frame(NamedTuple):
    """One frame."""

    body: bytes
    more: bool
    command: bool


def check_greeting(greeting: bytes) -> None:
    """Raise Violation for one that is not of ZMTP 3, or wants another mechanism."""
    if greeting[0] != 0xFF or not greeting[9] & 1 or greeting[10] < 3:
        raise Violation("no greeting of ZMTP 3")
    if greeting[12:32] != GREETING[12:32]:
        raise Violation("another mechanism than NULL")


def message(*parts: bytes) -> bytes:
    """Return a message as it is sent."""
    if len(parts) == 1:
        return _frame(parts[0], 0)
    last = len(parts) - 1
    return b"".join(_frame(part, _MORE if at < last else 0) for at, part in enumerate(parts))


def command(name: bytes, data: bytes = b"") -> bytes:
    """Return a command as it is sent."""
    return _frame(bytes((len(name),)) + name + data, _COMMAND)


def ready(kind: bytes) -> bytes:
    """Return the command by which a socket of this kind ends its part of the handshake."""
    value = len(kind).to_bytes(_VALUE_LENGTH) + kind
    return command(b"READY", b"\x0bSocket-Type" + value)


def _frame(body: bytes, flags: int) -> bytes:
    if len(body) <= _SHORT_MAX:
        return bytes((flags, len(body))) + body
    return bytes((flags | _LONG,)) + _LENGTH.pack(len(body)) + body


def parse_command(body: bytes) -> tuple[bytes, bytes]:
    """Return a command's name and data. Raises Violation."""
    if not body or len(body) <= body[0]:
        raise Violation("a command without a name")
    end = 1 + body[0]
    return body[1:end], body[end:]


def socket_type(metadata: bytes) -> bytes:
    """Return the kind of the peer's socket, from the data of its READY. Raises Violation."""
    at = 0
    kind = b""
    while at < len(metadata):
        name_end = at + 1 + metadata[at]
        start = name_end + _VALUE_LENGTH
        end = start + int.from_bytes(metadata[name_end:start])
        if end > len(metadata):
            raise Violation("metadata that are cut off")
        if metadata[at + 1 : name_end].lower() == b"socket-type":
            kind = metadata[start:end]
        at = end
    return kind


class Frames:
    """Cuts the bytes of one peer into frames; keeps no more than the largest frame and a read."""

    def __init__(self) -> None:
        self._data = bytearray()

    def __len__(self) -> int:
        return len(self._data)

    def feed(self, data: bytes) -> None:
        """Take what has come."""
        self._data += data

    def take(self, size: int) -> bytes | None:
        """Return the next `size` bytes, None as long as they are not there."""
        if len(self._data) < size:
            return None
        taken = bytes(self._data[:size])
        del self._data[:size]
        return taken

    def next(self, *, command_max: int, message_max: int) -> Frame | None:
        """Return the next frame, None as long as it is not there whole.

        Raises Violation for one that is larger than what is given here, on sight of its header.
        """
        data = self._data
        if not data:
            return None
        flags = data[0]
        if flags & ~(_MORE | _LONG | _COMMAND):
            raise Violation("flags that there are not")
        start = 9 if flags & _LONG else 2
        if len(data) < start:
            return None
        size = _LENGTH.unpack_from(data, 1)[0] if flags & _LONG else data[1]
        if size > (command_max if flags & _COMMAND else message_max):
            raise Violation("a frame that is too large")
        if len(data) < start + size:
            return None
        frame = Frame(
            bytes(data[start : start + size]), bool(flags & _MORE), bool(flags & _COMMAND)
        )
        del data[: start + size]
        return frame
