"""ControlClient: one control call at a time, each with a time limit."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping
from typing import Self

import zmq

from framebus.control import protocol
from framebus.errors import (
    CameraAbsent,
    CommandRefused,
    ControlTimeout,
    NoPermission,
    Untrusted,
    UsageError,
    refused,
)
from framebus.listener import open_socket, own_context
from framebus.liveness import holder
from framebus.names import CameraNames, check_runtime_dir, endpoint
from framebus.trusted_files import check_socket, owner_of

DEFAULT_TIMEOUT_S = 2.0


class ControlClient:
    """Calls a camera's daemon. Not thread-safe; make one a thread, after any fork."""

    def __init__(
        self,
        names: CameraNames,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        asks_only: bool = False,
        context: zmq.Context[zmq.Socket[bytes]] | None = None,
    ) -> None:
        """Prepare to call; `asks_only` takes the socket that carries out nothing.

        `context` is the caller's to close; without one the client makes its own. Raises UsageError
        for a runtime directory that no daemon can serve in.
        """
        check_runtime_dir(names.runtime)
        self._names = names
        self._socket = names.queries_socket if asks_only else names.control_socket
        self._timeout_s = timeout_s
        self._owns_context = context is None
        self._context = own_context() if context is None else context
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: str, params: Mapping[str, object] | None = None) -> object:
        """Call one method and return its result (docs/control.md lists them).

        Raises CameraAbsent when no daemon serves the camera, NoPermission when its socket is not
        ours to use, Untrusted when it could be somebody else's (trusted_files.py), OutOfResources
        when no descriptor is left for it, UsageError for a call that is too long or is no JSON,
        ControlTimeout when it does not answer within the client's `timeout_s`, and CommandRefused
        with the daemon's own words when it says no.
        """
        self._check_socket()
        request = protocol.Request(next(self._ids), method, dict(params or {}))
        try:
            text = request.encode()
        except ValueError as error:
            raise UsageError(
                f"the parameters of {method} are no JSON ({error}): numbers must be finite"
            ) from error
        if len(text) > protocol.MESSAGE_MAX:  # the daemon would hang up, and never answer
            raise UsageError(
                f"a call of {len(text)} bytes is too long: send at most {protocol.MESSAGE_MAX}"
            )
        # A socket a call: a late reply to a call that timed out can reach no later call.
        with open_socket(self._context, zmq.DEALER) as socket:
            socket.linger = 0
            socket.setsockopt(zmq.MAXMSGSIZE, protocol.MESSAGE_MAX)
            socket.connect(endpoint(self._socket))
            socket.send(text, zmq.DONTWAIT)
            reply = self._await(socket, request)
        if reply.code:
            raise CommandRefused(reply.message, reply.code, reply.data)
        return reply.result

    def _check_socket(self) -> None:
        """ZeroMQ would try for ever to connect to a socket that is not there, or not for us."""
        try:
            check_socket(self._socket, owner_of(self._names.runtime))
            allowed = os.access(self._socket, os.W_OK)
        except Untrusted:
            raise
        except (PermissionError, NoPermission):
            allowed = False
        except (FileNotFoundError, NotADirectoryError, CameraAbsent) as error:
            raise self._absent() from error
        except OSError as error:
            raise refused(error, f"cannot look at {self._socket}", "run as its owner") from error
        if not allowed:
            raise NoPermission(
                f"no permission to command camera {self._names.camera!r} through {self._socket}: "
                "join the group of that socket and of its directory, or run as their owner"
            )

    def _await(self, socket: zmq.Socket[bytes], request: protocol.Request) -> protocol.Reply:
        deadline = time.monotonic() + self._timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            if not socket.poll(max(1, round(left_s * 1000))):
                break
            try:
                reply = protocol.parse_reply(socket.recv(zmq.DONTWAIT))
            except (protocol.ProtocolError, zmq.Again):
                continue
            if reply.id == request.id:
                return reply
        if not holder(self._names.lock):
            raise self._absent()
        raise ControlTimeout(
            f"the daemon of {self._names.camera!r} did not answer {request.method!r} "
            f"within {self._timeout_s:g} s"
        )

    def _absent(self) -> CameraAbsent:
        return CameraAbsent(
            f"no daemon serves camera {self._names.camera!r} in {self._names.runtime}: "
            f"start one with `framebus up --name {self._names.camera}`"
        )

    def close(self) -> None:
        """Close the client's own context."""
        if self._owns_context:
            self._context.term()
