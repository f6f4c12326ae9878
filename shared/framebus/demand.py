"""A reader's lease of demand: tells a daemon that its frames are wanted, so that it captures.

A daemon that rests while nobody watches says so in its status; to any other nothing is sent. It is
a call of `wake` (docs/control.md) on the socket of those who may ask and not command, without a
thread and without waiting: handshake and call are written in one go to a connection that is kept
until the next, and what is answered is passed over. So this may be called from an event loop, and
between two frames.

Thread-safe. After a fork parent and child each go on with a lease of their own.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from framebus.control.protocol import Request
from framebus.errors import FramebusError
from framebus.json_parts import object_at
from framebus.names import CameraNames
from framebus.ring.reader import RingReader
from framebus.trusted_files import check_socket, owner_of
from framebus.zmtp.wire import GREETING, message, ready

LEASE_S: Final = 15.0
"""How long the daemon believes in a demand that is not renewed."""
RENEW_NS: Final = 5_000_000_000
_LOOK_NS = 500_000_000
"""How often is looked whether the daemon is still the one that was told."""
_ANSWERS = 16_384  # bytes that are passed over in one go

_log = logging.getLogger(__name__)


class DemandLease:
    """One reader's lease of one camera's frames."""

    def __init__(self, names: CameraNames, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """Ask for nothing yet. `clock` gives monotonic nanoseconds."""
        self._names = names
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._epoch: int | None = None  # of the daemon that has told whether demand matters
        self._look_ns = 0
        self._renew_ns = 0
        self._trouble = ""
        self._begin()
        self.matters = False
        """Whether the daemon makes anything of there being demand, as far as is known."""

    def renew(self, ring: RingReader | None) -> None:
        """Want frames now, and for LEASE_S. To be called while they are wanted, as often as not."""
        now_ns = self._clock()
        if ring is None or now_ns < self._look_ns:
            return
        self._look_ns = now_ns + _LOOK_NS
        if ring.epoch != self._epoch:
            status = ring.status()
            if not status:
                return  # it has only just begun
            self._epoch, self.matters = ring.epoch, matters(status)
        if self.matters:
            self._renew(now_ns)

    def renew_told(self, status: Mapping[str, object]) -> None:
        """The same, for who has the daemon's status document at hand."""
        now_ns = self._clock()
        self.matters = matters(status)
        if self.matters and now_ns >= self._look_ns:
            self._look_ns = now_ns + _LOOK_NS
            self._renew(now_ns)

    def close(self) -> None:
        """Want frames no longer; the lease runs out. It may be renewed again."""
        with self._lock:
            self._hang_up()
        self._look_ns = 0

    def __del__(self) -> None:
        """A web application has no end at which it could close its leases."""
        self._hang_up()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._name = f"{self._pid}-{os.urandom(4).hex()}"

    def _renew(self, now_ns: int) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._hang_up()  # its own copy: the parent's connection stays
                self._begin()
            if self._connection is not None and not _is_alive(self._connection):
                self._hang_up()
            if self._connection is not None and now_ns < self._renew_ns:
                return
            try:
                self._send()
                self._trouble = ""
                self._renew_ns = now_ns + RENEW_NS
            except (FramebusError, OSError) as error:
                self._hang_up()
                if not self._trouble:
                    _log.info("cannot tell the daemon that frames are wanted: %s", error)
                self._trouble = str(error)

    def _send(self) -> None:
        request = Request(1, "wake", {"seconds": LEASE_S, "lease": self._name})
        data = message(request.encode())
        connection = self._connection
        if connection is None:
            path = self._names.queries_socket
            check_socket(path, owner_of(self._names.runtime))
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self._connection = connection
            connection.connect(str(path))
            data = GREETING + ready(b"DEALER") + data
        if connection.send(data) != len(data):
            raise BlockingIOError("the daemon takes nothing")

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def matters(status: Mapping[str, object]) -> bool:
    """Tell whether a daemon makes anything of there being demand."""
    return bool(object_at(status, "demand"))


def _is_alive(connection: socket.socket) -> bool:
    """Pass over what was answered; tell whether the daemon is still at the other end."""
    try:
        while connection.recv(_ANSWERS):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
