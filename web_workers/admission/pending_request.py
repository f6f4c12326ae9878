"""One connection whose request is coming in: the handshake, if any, and the bytes so far."""

from __future__ import annotations

import select
import socket
import ssl
from typing import Protocol

from web_workers.admission.origin import origin_of
from web_workers.admission.request_framing import CompleteRequest, RequestFraming
from web_workers.wire.loop import Timer

_READ_MAX = 65_536  # bytes at a time
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(Protocol):
    """What a server keeps of a client."""

    sock: socket.socket
    client: object
    """Its address: a tuple, or nothing of use on a UNIX socket."""
    ahead: bytearray
    """What was read beyond the request under way."""
    last: bool
    """The request under way must be the last one."""


class PendingRequest:
    """The state of one connection until its request is whole."""

    def __init__(self, conn: Connection, *, kept: bool = False, handshaking: bool = False) -> None:
        """Go on with what was read ahead on `conn`, whose socket does not block.

        `kept`: it had a response already.
        """
        self.conn = conn
        self.fd = conn.sock.fileno()
        self.origin = origin_of(conn.client)
        self.timer: Timer | None = None
        """Looks at `until_ns`, not later than that; None while nobody waits."""
        self.timer_ns = 0
        """When the timer is due."""
        self.until_ns = 0
        """How long is waited."""
        self.awaits = select.EPOLLIN
        """What its socket must be ready for before there is any use in reading on."""
        self.just_answered = False
        """An answer was sent since this was last cleared."""
        self.looked_at_soon = False
        """It was read ahead, and will be looked at again without an event."""
        self._handshaking = handshaking
        self._begin(kept)

    def _begin(self, kept: bool) -> None:
        self.kept = kept
        self.data = self.conn.ahead
        self._framing = RequestFraming()
        self._continued = False

    def answered(self) -> None:
        """Begin with the next request: the one that was `taken` has its response."""
        self.just_answered = True
        self._begin(kept=True)

    @property
    def idle(self) -> bool:
        """Whether it is between two requests."""
        return self.kept and not self.data

    def has_news(self) -> bool:
        """Whether the client has sent something that was not read yet."""
        if isinstance(self.conn.sock, ssl.SSLSocket):
            return False  # it may be the protocol's own
        try:
            return bool(self.conn.sock.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def read(self) -> CompleteRequest | None:
        """Read on until the request is whole; None when it is not yet: see what it `awaits`.

        Raises OSError when the client has gone or speaks no TLS, and RequestRefused.
        """
        try:
            return self._read()
        except (BlockingIOError, ssl.SSLWantReadError):
            self.awaits = select.EPOLLIN
        except ssl.SSLWantWriteError:  # a handshake, or new keys, of which the kernel takes no more
            self.awaits = select.EPOLLOUT
        return None

    def _read(self) -> CompleteRequest:
        sock = self.conn.sock
        if self._handshaking and isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
            self._handshaking = False
        while not self.data or (whole := self._framing.of(self.data)) is None:
            if self._framing.expects_continue and not self._continued:
                sock.send(_CONTINUE)
                self._continued = True
            got = sock.recv(_READ_MAX)
            if not got:
                raise ConnectionResetError("the client closed before its request was whole")
            self.data += got
        return whole

    def taken(self, whole: CompleteRequest) -> bytes:
        """Return the request that `read` found; what follows stays with the connection."""
        request = bytes(self.data[: whole.size])
        self.conn.ahead = self.data[whole.size :]
        self.conn.last = whole.last
        return request
