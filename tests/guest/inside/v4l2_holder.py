"""A process that streams from a camera, hands its descriptor over, and goes on until it is killed.

    python -m tests.guest.inside.v4l2_holder NODE SOCKET_FD

SOCKET_FD is a Unix stream socket: the device's descriptor comes with the first byte, then every
frame's sequence number on a line.
"""

from __future__ import annotations

import socket
import sys

from capture_daemon.sources.base import Interrupt, Request
from capture_daemon.v4l2.source import V4L2Source

FPS = 5.0


def main(node: str, socket_fd: int) -> None:
    """Stream for ever."""
    told = socket.socket(fileno=socket_fd)
    source = V4L2Source(node, Request(width=640, height=480, fps=FPS), Interrupt())
    source.open()
    socket.send_fds(told, [b"\n"], [source.fileno()])
    while True:
        captured = source.read(10.0)
        if captured is not None:
            told.sendall(b"%d\n" % captured.device_sequence)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
