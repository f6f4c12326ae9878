"""The helper's loop: one connection after another, each with one request. Runs as root.

It trusts nobody: who may connect is the socket file's mode, what may be asked is protocol.py's, and
here it is made sure that the port holds a camera and that it is not reset too often. Whoever sends
nothing is hung up on. It keeps no file open between requests.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import struct
import time
from collections.abc import Callable, Collection

from capture_daemon.devices.sysfs import Places, UsbPort
from capture_daemon.privileged.protocol import (
    REQUEST_MAX,
    Refused,
    Reply,
    Request,
    parse_request,
)
from capture_daemon.recovery.actions import PortActions, RungFailed
from capture_daemon.recovery.budget import WINDOW_NS, Budgets
from capture_daemon.recovery.rungs import Rung

log = logging.getLogger(__name__)

PATIENCE_S = 2.0
"""How long a caller may take to send its line, and to take the answer."""
IDLE_S = WINDOW_NS / 1e9
"""After so long without a request the budget has nothing to remember, and the helper may end."""
_PEER = struct.Struct("=iII")  # struct ucred of unix(7): pid, uid, gid


class Helper:
    """Carries out requests, within a budget for each port."""

    def __init__(
        self,
        *,
        actions: PortActions,
        places: Places,
        power_ports: Collection[str],
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`power_ports` are the ports whose power may be switched."""
        self._actions = actions
        self._places = places
        self._power_ports = power_ports
        self._clock_ns = clock_ns
        self._budgets: dict[str, Budgets] = {}

    def answer(self, line: bytes, asker: str) -> Reply:
        """Carry out the request in `line`, if it is one; never raises for what it says."""
        try:
            request = parse_request(line)
            note = self._carry_out(request)
        except Refused as refusal:
            log.warning("%s: refused (%s: %s)", asker, refusal.error, refusal.note)
            return Reply(refusal.note, refusal.error)
        log.info("%s: %s", asker, note)
        return Reply(note)

    def _carry_out(self, request: Request) -> str:
        port = UsbPort(request.port, self._places)
        power = request.rung is Rung.PORT_POWER
        if power and port.name not in self._power_ports:
            raise Refused("not-allowed", f"the power of {port.name} is not this helper's to switch")
        # A camera that fell off its bus is what switching the power is for.
        if not (power and not port.occupied()):
            if not port.occupied():
                raise Refused("absent", f"nothing is plugged into {port.name}")
            if not port.is_camera():
                raise Refused("not-a-camera", f"{port.name} has no video interface")
        now_ns = self._clock_ns()
        budgets = self._budgets.get(port.name, Budgets())
        wait_ns = budgets.free_ns(request.rung, now_ns) - now_ns
        if wait_ns > 0:
            raise Refused("too-often", f"again in {wait_ns / 1e9:.0f} s")
        self._budgets[port.name] = budgets.spend(request.rung, now_ns)
        try:
            return self._actions.carry_out(request.rung, port)
        except RungFailed as error:
            raise Refused("failed", str(error)) from error


def serve(listener: socket.socket, helper: Helper, *, idle_s: float) -> None:
    """Answer callers until none has come for `idle_s` seconds."""
    while select.select([listener], [], [], idle_s)[0]:
        with contextlib.suppress(ConnectionError):
            connection, _ = listener.accept()
            with connection:
                _serve_one(connection, helper)


def _serve_one(connection: socket.socket, helper: Helper) -> None:
    pid, uid, _ = _PEER.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    )
    asker = f"process {pid} of user {uid}"
    try:
        line = _line(connection)
        if not line:
            return
        connection.settimeout(PATIENCE_S)
        connection.sendall(helper.answer(line, asker).encode())
    except OSError as error:
        log.warning("%s: %s", asker, error)


def _line(connection: socket.socket) -> bytes:
    """Return what comes up to a line feed, the limit or the end. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    line = b""
    while len(line) <= REQUEST_MAX and not line.endswith(b"\n"):
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        part = connection.recv(REQUEST_MAX + 1 - len(line))
        if not part:
            break
        line += part
    return line
