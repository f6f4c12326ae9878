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

    def __init__(self, conn: Connection, *, handshaking: bool = False) -> None:
        """Go on with what was read ahead on `conn`, whose socket does not block."""
        self.conn = conn
        self.data = conn.ahead
        self.fd = conn.sock.fileno()
        self.origin = origin_of(conn.client)
        self.timer: Timer | None = None
        """Ends the waiting; None while nobody waits."""
        self.until_ns = 0
        self.awaits = select.EPOLLIN
        """What its socket must be ready for before there is any use in reading on."""
        self._handshaking = handshaking
        self._framing = RequestFraming()
        self._continued = False

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
