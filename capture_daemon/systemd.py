"""Tells systemd how we are, by the protocol of sd_notify(3), and takes the descriptors it passes.

Without NOTIFY_SOCKET nothing is told. Nothing here blocks, and nothing here fails: a service
manager that does not listen must not take the camera down.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping, MutableMapping

log = logging.getLogger(__name__)

_FIRST_DESCRIPTOR = 3  # SD_LISTEN_FDS_START


class ServiceManager:
    """The one connection to NOTIFY_SOCKET. Main thread only."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._socket: socket.socket | None = None
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._status = ""
        self._failed = False
        self.watchdog_s = _watchdog_s(environ)
        """systemd kills us when it hears nothing for this long, seconds; 0: it does not watch."""

    def ready(self) -> None:
        """The control socket answers."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Show `text`, one line, in `systemctl status`; a repetition is not sent."""
        # One that did not get through (the manager is busy, its queue full) is sent again.
        if text != self._status and self._send(f"STATUS={text}"):
            self._status = text

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """A clean end has begun."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Close the socket."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> bool:
        if not self._socket:
            return False
        try:
            self._socket.sendto(text.encode(), self._address)
        except OSError as error:
            if not self._failed:
                self._failed = True
                log.warning("systemd's NOTIFY_SOCKET does not listen: %s", error.strerror)
            return False
        return True


def passed_descriptors(environ: MutableMapping[str, str]) -> list[tuple[int, str]]:
    """Return the descriptors that were passed to this process at its start, with their names.

    By sd_listen_fds(3), whose variables are removed from `environ`: they are meant for us alone.
    """
    pid, count, names = (environ.pop(f"LISTEN_{key}", "") for key in ("PID", "FDS", "FDNAMES"))
    if pid != str(os.getpid()) or not count.isdecimal():
        return []
    name_of = dict(enumerate(names.split(":"), _FIRST_DESCRIPTOR))
    fds = range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + int(count))
    return [(fd, name_of.get(fd, "")) for fd in fds]


def _watchdog_s(environ: Mapping[str, str]) -> float:
    """Return WATCHDOG_USEC in seconds if it is meant for this process, else 0."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    usec = environ.get("WATCHDOG_USEC", "")
    return int(usec) / 1e6 if usec.isdecimal() else 0.0
