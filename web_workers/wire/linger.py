"""Closing a connection as RFC 9112 section 9.6 wants it, without anybody waiting for the client.

The write side is shut, then what the client still says is thrown away until it closes too or two
seconds are over; closing at once with unread bytes would be a reset, which may cost the client the
end of the response.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from web_workers.wire.bounded_events import BoundedEvents
from web_workers.wire.loop import StreamLoop, Timer

LINGER_NS = 2_000_000_000
_DRAIN_MAX = 1 << 20  # bytes: a body that was refused is read to its end, if it is not too long


def linger(
    loop: StreamLoop | BoundedEvents, sock: socket.socket, closed: Callable[[], None]
) -> Lingering | None:
    """Close `sock` in the course of the next two seconds, then call `closed`.

    Returns what can be closed earlier; None if it was closed at once.
    """
    try:
        sock.setblocking(False)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        sock.close()
        closed()
        return None
    return Lingering(loop, sock, closed)


class Lingering:
    """One connection on its way out."""

    def __init__(
        self,
        loop: StreamLoop | BoundedEvents,
        sock: socket.socket,
        closed: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._closed = closed
        self._drained = 0
        self._timer: Timer = loop.call_at(loop.clock() + LINGER_NS, self.close)
        loop.add(sock.fileno(), select.EPOLLIN, self._readable)

    def _readable(self, _events: int) -> None:
        try:
            data = self._sock.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._drained += len(data)
        if not data or self._drained > _DRAIN_MAX:
            self.close()

    def close(self) -> None:
        """Wait no longer."""
        self._timer.cancel()
        self._loop.remove(self._sock.fileno())
        self._sock.close()
        self._closed()
