"""Who is at the other end of a Unix socket, by the kernel's word."""

from __future__ import annotations

import socket
import struct

UCRED = struct.Struct("=iII")  # struct ucred of unix(7)


def peer_credentials(connection: socket.socket) -> tuple[int, int, int]:
    """Return process id, user id and group id of who has connected."""
    pid, uid, gid = UCRED.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
    )
    return pid, uid, gid
