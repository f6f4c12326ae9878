"""libzmq's sockets, as other programs have them."""

from __future__ import annotations

from pathlib import Path

import zmq
from framebus.names import endpoint

Context = zmq.Context[zmq.Socket[bytes]]


def own_context() -> Context:
    """A context of this process, with one I/O thread."""
    return zmq.Context(io_threads=1)


def subscribed(context: Context, path: Path) -> zmq.Socket[bytes]:
    """A SUB for everything that is published on a Unix socket."""
    socket: zmq.Socket[bytes] = context.socket(zmq.SUB)
    socket.linger = 0
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.setsockopt(zmq.RECONNECT_IVL, 20)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 100)
    socket.connect(endpoint(path))
    return socket
