"""A TCP or TLS connection whose every wait can be interrupted and has a deadline.

It moves bytes and knows no HTTP. Looking up a name is the one thing that cannot be interrupted: it
takes as long as the system's resolver is configured to (an address needs none).
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from capture_daemon.sources.base import Interrupt, SourceGone
from capture_daemon.sources.http.trust import Trust, fingerprint

_PIECE = 256 << 10
_BUFFER = 1 << 20
"""Bytes that the kernel may hold for us: it would take several times that, and every frame in it is
an old one by the time that we come back from a pause."""
_MOST_WANTED = 128 << 10
"""Bytes: well below what the kernel holds for us, or it would never come to that."""

_Result = TypeVar("_Result")


class Interrupted(SourceGone):
    """The Interrupt was set while waiting."""

    def __init__(self) -> None:
        super().__init__("interrupted", "opening was interrupted")


class Connection:
    """One connection at a time, made by `connect`. Used by one thread."""

    def __init__(self, interrupt: Interrupt) -> None:
        self._interrupt = interrupt
        self._socket: socket.socket | None = None
        self._piece = memoryview(bytearray(_PIECE))
        self._wanted = 1
        self.fingerprint = ""
        """The SHA-256 of the other side's certificate, hexadecimal; empty without TLS."""

    def connect(self, host: str, port: int, *, tls: Trust | None, deadline: float) -> None:
        """Connect to the first of the host's addresses that answers; the old connection is closed.

        With `tls` the other side must have a certificate that it trusts. `deadline` is of
        time.monotonic(), seconds, shared out among the addresses.

        Raises:
            OSError: gaierror, TimeoutError, ConnectionRefusedError, SSLError …: the last address's;
                WrongCertificate: it is not the pinned one.
            Interrupted: the Interrupt is set.
        """
        self.close()
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            now = time.monotonic()
            until = now + (deadline - now) / (len(addresses) - number)
            try:
                self._socket = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
                self._reach(address, until)
                break
            except OSError:
                self.close()
                if number == len(addresses) - 1:
                    raise
        if tls is not None:
            self._secure(host, tls, deadline)

    def send(self, data: bytes, *, deadline: float) -> None:
        """Send all of `data`. Raises OSError, Interrupted."""
        connected = self._connected()
        while data:
            sent = self._until_done(partial(connected.send, data), select.POLLOUT, deadline)
            data = data[sent:]

    def receive(self, *, deadline: float) -> memoryview:
        """Return what there is, waiting for it; nothing once the other side has closed.

        It is valid until the next call.

        Raises:
            TimeoutError: nothing came before `deadline` (time.monotonic(), seconds).
            Interrupted: the Interrupt is set, even if there is something.
            OSError: the connection broke.
        """
        connected = self._connected()
        if isinstance(connected, ssl.SSLSocket):  # which may have read more than it has given
            if self._interrupt.sleep(0):
                raise Interrupted
        else:
            with suppress(TimeoutError):  # less than is wanted is better than nothing
                self._wait(select.POLLIN, deadline)
        take = partial(connected.recv_into, self._piece)
        try:
            return self._piece[: self._until_done(take, select.POLLIN, deadline)]
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return self._piece[:0]

    def want(self, length: int) -> None:
        """Let `receive` wait for so many bytes, as long as that may be: less would be of no use.

        A frame comes over a network in a hundred packets, and each could wake us.
        """
        length = max(1, min(length, _MOST_WANTED))
        connected = self._connected()
        if length != self._wanted and not isinstance(connected, ssl.SSLSocket):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, length)
            self._wanted = length

    def close(self) -> None:
        """Close it; harmless when it is not open."""
        connected, self._socket = self._socket, None
        self._wanted = 1
        if connected is not None:
            with suppress(OSError):  # an error of the connection's past; it is closed all the same
                connected.close()

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("not connected")
        return self._socket

    def _reach(self, address: object, deadline: float) -> None:
        connecting = self._connected()
        with suppress(BlockingIOError):
            connecting.connect(address)  # type: ignore[arg-type]  # as getaddrinfo gave it
        self._wait(select.POLLOUT, deadline)
        failure = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            raise OSError(failure, os.strerror(failure))

    def _secure(self, host: str, trust: Trust, deadline: float) -> None:
        secured = trust.context().wrap_socket(
            self._connected(), server_hostname=host, do_handshake_on_connect=False
        )
        self._socket = secured
        self._until_done(secured.do_handshake, select.POLLIN, deadline)
        self.fingerprint = fingerprint(secured.getpeercert(binary_form=True))
        trust.check(self.fingerprint)

    def _until_done(
        self, operation: Callable[[], _Result], events: int, deadline: float
    ) -> _Result:
        """Do what must wait for `events`, or for what TLS has to send or receive first."""
        while True:
            try:
                return operation()
            except BlockingIOError:
                self._wait(events, deadline)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, deadline)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, deadline)

    def _wait(self, events: int, deadline: float) -> None:
        left_s = deadline - time.monotonic()
        ready = self._interrupt.wait(left_s, self._connected().fileno(), events=events)
        if self._interrupt.fileno() in ready:
            raise Interrupted
        if not ready:
            raise TimeoutError
