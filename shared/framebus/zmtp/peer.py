"""One connection: its socket, what it said and what it has not taken yet. Sending never waits."""

from __future__ import annotations

import select
import socket

from framebus.zmtp.accounts import Account
from framebus.zmtp.session import Session

READING = select.EPOLLIN
_WRITING = select.EPOLLOUT


class Peer:
    """Sending is the business of whoever holds the server's lock, the rest of its thread."""

    def __init__(
        self,
        connection: socket.socket,
        session: Session,
        account: Account,
        poller: select.epoll,
        since_ns: int,
    ) -> None:
        """Begin; `connection` does not block, and is in no poller yet."""
        self._socket = connection
        self._poller = poller
        self.fd = connection.fileno()
        self.recv = connection.recv
        self._write = connection.send
        self.session = session
        self.account = account
        self.since_ns = since_ns
        self.open = True
        self.counted = 0
        """Bytes of it in its user's account."""
        self._rest = b""
        self._mask = READING
        poller.register(self.fd, READING)

    @property
    def behind(self) -> bool:
        """Whether something that was begun is not sent to its end."""
        return bool(self._rest)

    @property
    def held(self) -> int:
        """Bytes that are kept for or of it."""
        return self.session.held + len(self._rest)

    def send(self, data: bytes, queue_max: int) -> bool:
        """Send, or queue up to so many bytes, or drop; False if it was dropped."""
        rest = self._rest
        if not rest:
            try:
                sent = self._write(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return False  # it has gone, and the server will hear of it
            if sent == len(data):
                return True
            if not sent and not queue_max:
                return False
            self._rest = data[sent:]  # what was begun is sent to its end
        elif len(rest) + len(data) > queue_max:
            return False
        else:
            self._rest = rest + data
        self.wait_for(self._mask | _WRITING)
        return True

    def flush(self) -> None:
        """Send what is queued, as far as the kernel takes it."""
        try:
            self._rest = self._rest[self._write(self._rest) :]
        except BlockingIOError:
            return
        except OSError:
            self._rest = b""
        if not self._rest:
            self.wait_for(self._mask & ~_WRITING)

    def read_on(self, wanted: bool) -> None:
        """Wait for what it sends, or leave that with the kernel."""
        self.wait_for(self._mask | READING if wanted else self._mask & ~READING)

    def wait_for(self, mask: int) -> None:
        """Wait for these events, and for none at all with 0."""
        if mask == self._mask or not self.open:
            return
        if not mask:
            # The kernel would go on telling that the other end has hung up.
            self._poller.unregister(self.fd)
        elif not self._mask:
            self._poller.register(self.fd, mask)
        else:
            self._poller.modify(self.fd, mask)
        self._mask = mask

    def end(self) -> None:
        """Neither read nor send any more; `close` is next."""
        self.wait_for(0)
        self.open = False

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
