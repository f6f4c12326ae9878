"""Unix sockets to listen on, and who has connected, by the kernel's word (unix(7))."""

from __future__ import annotations

import os
import socket
import struct

from framebus.errors import refused

TYPE_CHECKING = False  # `framebus up` is kept small by what it does not import
if TYPE_CHECKING:
    from pathlib import Path

UCRED = struct.Struct("=iII")  # struct ucred: pid, uid, gid
_MODE = 0o660
_BACKLOG = 128


def bind(path: Path, group: int = -1) -> socket.socket:
    """Return a listening socket at a path that `group` may connect to.

    Raises NoPermission and OutOfResources.
    """
    try:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            path.unlink(missing_ok=True)
            listener.bind(str(path))
            # In this order: by the daemon's umask nobody of the group may connect before the chmod.
            os.chown(path, -1, group)
            path.chmod(_MODE)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        remedy = "remove what is there, or run as its owner"
        raise refused(error, f"cannot listen on {path}", remedy) from error
    return listener


def peer_credentials(connection: socket.socket) -> tuple[int, int, int]:
    """Return process id, user id and group id of who has connected."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
    return UCRED.unpack(credentials)
