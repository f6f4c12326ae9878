"""A client's socket on which a request thread never waits: what the kernel does not take is kept.

gunicorn writes a response with `sendall`. A client that does not read would hold the thread there,
and eight of them the site. So `sendall` keeps the rest, and the main loop sends it afterwards
(response_drain.py). Only what ends is written this way: endless responses are taken over before
anything is sent, so the rest is a response's at most.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class BufferedSocket(socket.socket):
    """An accepted TCP or UNIX connection."""

    __slots__ = ("rest",)

    def __init__(self, accepted: socket.socket) -> None:
        """Take over an accepted connection; `accepted` is closed by that."""
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self.rest = bytearray()
        """What the kernel has not taken yet."""

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        """Send what the kernel takes now, and keep the rest. For a socket that blocks."""
        view = memoryview(data).cast("B")
        count = 0
        if not self.rest:
            try:
                count = self.send(view, flags | socket.MSG_DONTWAIT)
            except BlockingIOError:
                count = 0
        self.rest += view[count:]

    def taken(self) -> bytes:
        """Return the rest, which is whoever calls this to send."""
        rest = bytes(self.rest)
        self.rest.clear()
        return rest
