"""The harness's side of the control socket: calls that wait for a daemon, and calls in a burst."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import zmq
from framebus.control import protocol
from framebus.control.client import ControlClient
from framebus.errors import CommandRefused, FramebusError
from framebus.names import CameraNames, endpoint

from tests.guest.camera.client import wait_for
from tests.helpers.zeromq import own_context

_ANSWER_S = 15.0
"""A control call takes so long at most, on a guest that is busy starting Python."""
_DAEMON_S = 120.0
"""And a daemon so long to come back."""


class Commands:
    """Talks to whatever daemon serves the camera now. Main thread only."""

    def __init__(self, names: CameraNames) -> None:
        self._names = names
        self._client = ControlClient(names, timeout_s=_ANSWER_S)
        self._context = own_context()
        self._sent: list[zmq.Socket[bytes]] = []
        self._answered: list[str] = []

    def call(self, method: str) -> Any:
        """Call the daemon; tries again while there is none. Raises TimeoutError, CommandRefused."""

        def answered() -> list[Any]:
            try:
                return [self._client.call(method)]
            except CommandRefused:
                raise
            except FramebusError:
                time.sleep(0.1)
                return []

        return wait_for(answered, f"an answer to {method}", _DAEMON_S)[0]

    def insist(self, method: str, params: Mapping[str, object]) -> None:
        """Call until it is not refused. Raises TimeoutError."""

        def taken() -> bool:
            try:
                self._client.call(method, params)
            except CommandRefused as error:
                self._answered.append(str(error))
                return False
            self._answered.append("ok")
            return True

        wait_for(taken, f"{method} to be taken", _ANSWER_S)

    def restart(self) -> None:
        """Have it restarted; soon after an open that is joined with it. Raises TimeoutError."""
        wait_for(lambda: not self.call("restart")["joined"], "a restart", _ANSWER_S)

    def status(self) -> dict[str, Any]:
        """Return the status document; {} without a daemon."""
        try:
            document = self._client.call("status")
        except FramebusError:
            return {}
        return document if isinstance(document, dict) else {}

    def incidents(self) -> list[dict[str, Any]]:
        """Return the daemon's incidents, oldest first; none if it knows no such method."""
        try:
            answer = self._client.call("incidents")
        except FramebusError:
            return []
        if isinstance(answer, dict):
            answer = answer.get("incidents", [])
        if not isinstance(answer, list):
            return []
        found = [one for one in answer if isinstance(one, dict)]
        return sorted(found, key=lambda one: int(one.get("began_utc_ns", 0)))

    def send(self, method: str, params: Mapping[str, object], times: int) -> None:
        """Send so many calls at once, and wait for no answer."""
        socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        socket.linger = 0
        socket.connect(endpoint(self._names.control_socket))
        self._sent.append(socket)
        for number in range(times):
            socket.send(protocol.Request(number, method, dict(params)).encode())

    def answers(self) -> list[str]:
        """Return how calls were answered that may be refused: "ok", or the error's text."""
        found, self._answered = self._answered, []
        for socket in self._sent:
            while socket.poll(0):
                reply = protocol.parse_reply(socket.recv())
                found.append(reply.message if reply.code else "ok")
        return found

    def forget(self) -> None:
        """Wait no longer for what was sent."""
        for socket in self._sent:
            socket.close()
        self._sent.clear()

    def close(self) -> None:
        """Close everything."""
        self.forget()
        self._client.close()
        self._context.term()
