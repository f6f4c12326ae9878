"""Our end of a connection to somebody's socket: a SUB or a DEALER, from its connect to its end.

It never waits. Messages have one part; one with more is somebody else's, and passed over.
"""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Final, Self

from framebus.unix_sockets import peer_credentials
from framebus.zmtp.session import Kind, Session
from framebus.zmtp.wire import GREETING, Violation

_READ_MAX: Final = 65_536
_WHOLE: Final = 0
"""The flags of a short message that is whole."""


class Client:
    """One connection. Whatever ends it is an OSError, after which it is good for `close` only."""

    def __init__(self, path: Path, kind: Kind, owner: int) -> None:
        """Connect to a socket that is served by the user id `owner`.

        Raises OSError when that cannot be done now, PermissionError when somebody else serves it.
        """
        self._session = Session(kind)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.connect(str(path))
            _, uid, _ = peer_credentials(self._socket)
            if uid != owner:
                raise PermissionError(errno.EPERM, f"user id {uid} serves it, and not {owner}")
            self._send(GREETING)
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """Return a descriptor that is readable when `receive` has something to do."""
        return self._socket.fileno()

    @property
    def ready(self) -> bool:
        """Whether the handshake is done."""
        return self._session.ready

    @property
    def idle(self) -> bool:
        """Whether what comes next is the beginning of a message."""
        return self._session.idle

    def receive(self) -> list[bytes]:
        """Return the messages that have come whole: what one read gives. Never waits."""
        try:
            data = self._socket.recv(_READ_MAX)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        size = len(data) - 2
        if size >= 0 and data[0] == _WHOLE and data[1] == size and self._session.idle:
            return [data[2:]]  # as nearly each hint comes
        return self.take(data)

    def take(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole with `data`, which came from the socket."""
        messages: list[bytes] = []
        self._session.feed(data)
        try:
            while (event := self._session.next()) is not None:
                if isinstance(event, bytes):
                    self._send(event)
                elif event.count == 1:
                    messages += event.parts
        except Violation as violation:
            raise ConnectionAbortedError(errno.EPROTO, str(violation)) from violation
        return messages

    def close(self) -> None:
        """Hang up. Twice is harmless."""
        self._socket.close()

    def _send(self, data: bytes) -> None:
        if self._socket.send(data) != len(data):  # far less than the kernel takes of a new peer
            raise ConnectionAbortedError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
