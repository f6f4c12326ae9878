"""The servers that are measured. Each serves one clip at one rate on a port of its own.

framebus and its peers read the clip from what they take for a camera (v4l2_shim.c). All of a
server's processes share the cores of its task. Who is measured besides framebus and the floor is
decided by what is installed: `missing` says why one cannot be.
"""

from __future__ import annotations

import shutil
from typing import Protocol

from benchmarks.client import Stamp
from benchmarks.figures import FLOOR, FRAMEBUS
from benchmarks.framebus_server import Framebus
from benchmarks.handed import Handed
from benchmarks.peers import MJPG_STREAMER, USTREAMER, Floor, MjpgStreamer, Peer, Ustreamer
from benchmarks.task import Task


class Server(Protocol):
    """A running server."""

    port: int
    path: str
    """Of its stream."""
    stamp: Stamp

    def serving(self) -> frozenset[int]:
        """Return the process ids of what serves viewers."""

    def capturing(self) -> frozenset[int]:
        """Return the process ids of a separate capture daemon."""

    def handed(self) -> Handed | None:
        """Return what has been handed to viewers up to now; None when it does not tell."""

    def close(self) -> None:
        """End it, and leave nothing behind."""


_SERVERS: dict[str, type[Framebus] | type[Peer]] = {
    FRAMEBUS: Framebus,
    FLOOR: Floor,
    USTREAMER: Ustreamer,
    MJPG_STREAMER: MjpgStreamer,
}
NAMES = tuple(_SERVERS)


def start(name: str, task: Task) -> Server:
    """Start a server by its name. Raises BenchError when it does not come up."""
    return _SERVERS[name](task)


def missing(name: str) -> str:
    """Return why a server cannot be measured here and what would help; empty if it can."""
    if name == USTREAMER and not shutil.which(USTREAMER):
        return "ustreamer is not installed (apt install ustreamer)"
    if name == MJPG_STREAMER and not shutil.which(MJPG_STREAMER):
        return "mjpg_streamer is not on the PATH (no Debian package: build it, make install)"
    return ""
