"""A peer of ZMTP by hand, for what libzmq would never send."""

from __future__ import annotations

import contextlib
import socket
import struct
from pathlib import Path

from framebus.zmtp.wire import GREETING, GREETING_SIZE, command, ready

MORE, LONG, COMMAND = 1, 2, 4


def header(flags: int, size: int) -> bytes:
    """The header of a frame that says it has `size` bytes."""
    return bytes((flags | LONG,)) + struct.pack(">Q", size)


def connect(path: Path) -> socket.socket:
    """A connection that has said nothing yet."""
    raw = socket.socket(socket.AF_UNIX)
    try:
        raw.settimeout(30)
        raw.connect(str(path))
    except OSError:
        raw.close()
        raise
    return raw


def greet(raw: socket.socket, kind: bytes, greeting: bytes = GREETING) -> None:
    """Go through the handshake, as a socket of this kind does."""
    raw.sendall(greeting)
    assert len(raw.recv(GREETING_SIZE, socket.MSG_WAITALL)) == GREETING_SIZE
    raw.sendall(ready(kind))
    _, size = raw.recv(2, socket.MSG_WAITALL)
    assert raw.recv(size, socket.MSG_WAITALL).startswith(b"\x05READY")


def hung_up(raw: socket.socket) -> bool:
    """Whether the other end closes, whatever it sends before; it has half a minute for it."""
    with contextlib.suppress(ConnectionError, BrokenPipeError):
        while raw.recv(65536):
            pass
    return True


def subscription(prefix: bytes) -> bytes:
    """What a peer of ZMTP 3.1 sends to subscribe."""
    return command(b"SUBSCRIBE", prefix)
