"""ControlClient: one control call at a time, each with a time limit."""

from __future__ import annotations

import itertools
import os
import select
import time
from collections.abc import Mapping
from typing import Final, Self

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
from framebus.liveness import holder
from framebus.names import CameraNames, check_runtime_dir
from framebus.trusted_files import check_socket, owner_of
from framebus.zmtp.client import Client
from framebus.zmtp.session import caller

DEFAULT_TIMEOUT_S = 2.0
_AGAIN_S: Final = 0.02
"""After so long a daemon that took no call is called again: it may be about to serve."""
_NOT_NOW: Final = (ConnectionError, FileNotFoundError, BlockingIOError)
"""Nobody serves there now, or whoever does hangs up, or has too many who wait."""


class ControlClient:
    """Calls a camera's daemon. Not thread-safe; make one a thread."""

    def __init__(
        self,
        names: CameraNames,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        asks_only: bool = False,
    ) -> None:
        """Prepare to call; `asks_only` takes the socket that carries out nothing.

        Raises UsageError for a runtime directory that no daemon can serve in.
        """
        check_runtime_dir(names.runtime)
        self._names = names
        self._socket = names.queries_socket if asks_only else names.control_socket
        self._timeout_s = timeout_s
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
        owner = self._check_socket()
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
        reply = self._exchange(text, request, owner)
        if reply.code:
            raise CommandRefused(reply.message, reply.code, reply.data)
        return reply.result

    def _check_socket(self) -> int:
        """Return the user id of who serves the socket, which is there, and for us."""
        try:
            owner = owner_of(self._names.runtime)
            check_socket(self._socket, owner)
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
        return owner

    def _exchange(self, text: bytes, request: protocol.Request, owner: int) -> protocol.Reply:
        """Return the reply; whoever took no call is called again, as long as there is time."""
        kind = caller(text, protocol.MESSAGE_MAX)
        deadline = time.monotonic() + self._timeout_s
        took = False
        while not took:
            try:
                # A connection a call: a late reply to one that timed out can reach no later call.
                with Client(self._socket, kind, owner) as connection:
                    try:
                        if (reply := self._await(connection, request, deadline)) is not None:
                            return reply
                    finally:
                        took = connection.ready
            except _NOT_NOW:
                pass
            except OSError as error:
                raise refused(error, f"cannot use {self._socket}", "run as its owner") from error
            left_s = deadline - time.monotonic()
            if not holder(self._names.lock):
                raise self._absent()
            if left_s <= 0:
                break
            if not took:
                time.sleep(min(left_s, _AGAIN_S))
        when = f"within {self._timeout_s:g} s" if left_s <= 0 else "and hung up"
        raise ControlTimeout(
            f"the daemon of {self._names.camera!r} did not answer {request.method!r} {when}"
        )

    def _await(
        self, connection: Client, request: protocol.Request, deadline: float
    ) -> protocol.Reply | None:
        """Return the reply; None when there is none in time."""
        poller = select.poll()
        poller.register(connection, select.POLLIN)
        while (left_s := deadline - time.monotonic()) > 0:
            poller.poll(max(1, round(left_s * 1000)))
            for message in connection.receive():
                try:
                    reply = protocol.parse_reply(message)
                except protocol.ProtocolError:
                    continue
                if reply.id == request.id:
                    return reply
        return None

    def _absent(self) -> CameraAbsent:
        return CameraAbsent(
            f"no daemon serves camera {self._names.camera!r} in {self._names.runtime}: "
            f"start one with `framebus up --name {self._names.camera}`"
        )

    def close(self) -> None:
        """Nothing is kept between calls."""
