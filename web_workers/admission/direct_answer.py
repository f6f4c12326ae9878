"""A whole response that is sent from the worker's loop, without a thread."""

from __future__ import annotations

import socket
from typing import NamedTuple

Pieces = list[memoryview]
"""Bytes that follow one another. A piece may be shared with other connections."""


class DirectAnswer(NamedTuple):
    """What a request is answered with."""

    pieces: Pieces
    last: bool
    """The connection is closed after it."""


def send(sock: socket.socket, pieces: Pieces) -> Pieces:
    """Send what the kernel takes of them now, and return the rest. Raises OSError."""
    try:
        count = sock.sendmsg(pieces, (), socket.MSG_DONTWAIT)
    except BlockingIOError:
        return pieces
    for number, piece in enumerate(pieces):
        if count < len(piece):
            return [piece[count:], *pieces[number + 1 :]]
        count -= len(piece)
    return []
