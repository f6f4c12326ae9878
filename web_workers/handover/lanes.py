"""The lanes from worker to worker (channel.py says what they are). gunicorn's master makes them."""

from __future__ import annotations

import socket
from collections.abc import Sequence

LANES = 8
_BUFFER = 1 << 22  # bytes; the kernel grants net.core.wmem_max

Lanes = Sequence[tuple[int, int]]
"""Descriptors: of each lane the end to put into, and the end to take from."""


def create_lanes() -> list[tuple[int, int]]:
    """Make the lanes: in the master, before any worker."""
    lanes = []
    for _ in range(LANES):
        put, take = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        put.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        put.setblocking(False)
        take.setblocking(False)
        lanes.append((put.detach(), take.detach()))
    return lanes
