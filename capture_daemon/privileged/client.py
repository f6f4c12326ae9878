"""Asks the privileged helper. Blocks for as long as a rung takes; the capture thread's."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from framebus.contract.words import Rung

from capture_daemon.privileged.protocol import REPLY_MAX, Request, parse_reply
from capture_daemon.recovery.actions import RungFailed

_ANSWER_S = 25.0
"""Longer than the longest rung: switching a port's power."""


class PrivilegedClient:
    """The helper behind a socket; a connection for each request."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def usable(self) -> bool:
        """Tell whether there is a helper that this process may ask."""
        return os.access(self._path, os.R_OK | os.W_OK)

    def carry_out(self, rung: Rung, port: str) -> str:
        """Let the helper carry out `rung`; return what it did. Raises RungFailed."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_ANSWER_S)
                connection.connect(str(self._path))
                connection.sendall(Request(rung, port).encode())
                with connection.makefile("rb") as answer:
                    line = answer.readline(REPLY_MAX)
            reply = parse_reply(line)
        except (OSError, ValueError) as error:
            raise RungFailed(f"the helper at {self._path} does not answer: {error}") from error
        if reply.error:
            raise RungFailed(f"the helper refused: {reply.note} ({reply.error})")
        return reply.note
