"""Keeps descriptors for a child over its lives, as systemd's descriptor store does for a service.

A child sends copies through the socket that NOTIFY_SOCKET names, by the protocol of sd_notify(3):
FDSTORE=1 with FDNAME=, FDSTOREREMOVE=1 with FDNAME=, BARRIER=1; anything else is not for us. Its
next life gets them back as sd_listen_fds(3) says. So a camera goes on streaming while its daemon is
started again.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct

from framebus.unix_sockets import UCRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 4
"""Names under which descriptors are kept; a child that uses more has lost count."""
_AT_ONCE = 16
"""Messages that are read before others get their turn."""
_SPACE = socket.CMSG_SPACE(UCRED.size) + socket.CMSG_SPACE(16 * 4)


class DescriptorStore:
    """One child's descriptors. Close it after the child's last life."""

    def __init__(self, directory: str) -> None:
        """Listen in a directory of its own below `directory`."""
        # Not an abstract name, which would leave nothing to remove: anybody on the machine could
        # send to it, fill its queue and so keep the child's descriptors out.
        self._directory = f"{directory}/framebus-keeper-{os.urandom(6).hex()}"
        os.mkdir(self._directory, 0o700)
        self.address = f"{self._directory}/notify"
        """What NOTIFY_SOCKET must be for the child."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(self.address)
        self._kept: list[tuple[str, int]] = []

    @property
    def kept(self) -> Sequence[tuple[str, int]]:
        """Names and descriptors, in the order in which they came."""
        return tuple(self._kept)

    def fileno(self) -> int:
        """Readable when the child has sent something."""
        return self._socket.fileno()

    def receive(self, child: int) -> None:
        """Do what process `child` asked for; what others send is not looked at."""
        for _ in range(_AT_ONCE):
            try:
                data, ancillary, _, _ = self._socket.recvmsg(4096, _SPACE, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            sender, fds = _opened(ancillary)
            asked = _fields(data) if sender == child else {}
            name = asked.get("FDNAME", "stored")
            if asked.get("FDSTOREREMOVE") == "1":
                self._let_go(name)
            elif asked.get("FDSTORE") == "1":
                fds = self._keep(name, fds)
            for fd in fds:  # a barrier's too: closing it is the answer
                os.close(fd)

    def close(self) -> None:
        """Let go of everything."""
        for _, fd in self._kept:
            os.close(fd)
        self._kept.clear()
        self._socket.close()
        with contextlib.suppress(OSError):
            os.unlink(self.address)
            os.rmdir(self._directory)

    def _keep(self, name: str, fds: list[int]) -> list[int]:
        """Keep one descriptor under `name`, in place of an earlier one; return what is not kept."""
        self._let_go(name)
        if not fds or len(self._kept) == _MOST:
            return fds
        self._kept.append((name, fds[0]))
        return fds[1:]

    def _let_go(self, name: str) -> None:
        for entry in [entry for entry in self._kept if entry[0] == name]:
            self._kept.remove(entry)
            os.close(entry[1])


def _opened(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, list[int]]:
    """Return the sender's process id and the descriptors of one message."""
    sender = 0
    fds: list[int] = []
    for level, kind, data in ancillary:
        if level != socket.SOL_SOCKET:
            continue
        if kind == socket.SCM_CREDENTIALS:
            sender = UCRED.unpack(data)[0]
        elif kind == socket.SCM_RIGHTS:
            fds += struct.unpack(f"{len(data) // 4}i", data[: len(data) // 4 * 4])
    return sender, fds


def _fields(data: bytes) -> dict[str, str]:
    lines = (line.partition("=") for line in data.decode(errors="replace").splitlines())
    return {key: value for key, _, value in lines}
