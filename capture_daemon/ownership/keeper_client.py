"""Leaves the streaming device with whoever keeps descriptors for us, and takes it back at a start.

The camera goes on streaming while somebody has a copy of its descriptor, whatever becomes of this
process. systemd keeps copies (sd_notify(3): FDSTORE=1, FileDescriptorStoreMax=), and so does
`framebus up` for its child, by the same protocol. Without either, nothing here does anything.

A keeper must let go before the device is closed, or the device stays open behind our back: so
`let_go` waits until that has happened.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
from collections.abc import Mapping, MutableMapping

from capture_daemon.systemd import passed_descriptors

log = logging.getLogger(__name__)

NAME = "device"
LET_GO_S = 2.0
"""How long a keeper gets to let go, seconds. systemd may be busy; a dead one closed it already."""


def handed_over(environ: MutableMapping[str, str]) -> int | None:
    """Return the device's descriptor if one was handed to this process at its start.

    Descriptors that nobody here knows are closed.
    """
    ours = None
    for fd, name in passed_descriptors(environ):
        if ours is None and name == NAME:
            os.set_inheritable(fd, False)
            ours = fd
        else:
            log.warning("descriptor %d was handed over and is not known here: closed", fd)
            with contextlib.suppress(OSError):
                os.close(fd)
    return ours


class KeeperClient:
    """The connection to NOTIFY_SOCKET, for descriptors. For one thread."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self.present = bool(path)
        """Whether there is somebody who may keep a descriptor."""
        self._keeps = self.present
        """Something may be with the keeper: also before we gave it anything, from a predecessor."""

    def keep(self, fd: int) -> None:
        """Leave a copy of `fd` with the keeper. Never raises; what cannot be kept is logged."""
        # FDPOLL=0: it would drop the descriptor whenever the stream is restarted, which looks
        # like an error to poll.
        if self._send(f"FDSTORE=1\nFDNAME={NAME}\nFDPOLL=0", fd):
            self._keeps = True

    def let_go(self) -> None:
        """Have the keeper close its copies, and wait until it has; harmless when it has none."""
        if not self._keeps:
            return
        self._keeps = False
        if self._send(f"FDSTOREREMOVE=1\nFDNAME={NAME}") and not self._barrier():
            log.warning(
                "the keeper of the camera's descriptor has not let go within %g s", LET_GO_S
            )

    def _barrier(self) -> bool:
        """Wait until all that was sent has been dealt with, as sd_notify_barrier(3) does."""
        reading, writing = os.pipe2(os.O_CLOEXEC)
        try:
            try:
                sent = self._send("BARRIER=1", writing)
            finally:
                os.close(writing)
            if not sent:
                return False
            poller = select.poll()
            poller.register(reading, 0)  # POLLHUP: all copies of the other end are closed
            return bool(poller.poll(LET_GO_S * 1000))
        finally:
            os.close(reading)

    def _send(self, text: str, *fds: int) -> bool:
        if not self.present:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(LET_GO_S)
                sender.connect(self._address)
                socket.send_fds(sender, [text.encode()], list(fds))
        except OSError as error:
            log.warning("the keeper of descriptors does not listen: %s", error.strerror or error)
            return False
        return True
