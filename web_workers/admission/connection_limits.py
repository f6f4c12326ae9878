"""How many descriptors a worker may have, and how they are shared out: each connection is one."""

from __future__ import annotations

import resource
from typing import NamedTuple

_HALF_OPEN, _KEPT, _DRAINING = 512, 512, 128
_OWN = 64
"""Descriptors that a worker needs for itself: listeners, rings, ZeroMQ's, a file that is sent."""


def raise_descriptor_limit() -> None:
    """Raise this process's soft limit of open files to its hard limit, which needs no right."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class ConnectionLimits(NamedTuple):
    """How many connections of one worker may be in each state that lasts, besides viewers."""

    half_open: int
    """Within a request."""
    kept: int
    """Between two requests."""
    draining: int
    """With their response, or most of it."""

    @classmethod
    def of(cls, connections: int, descriptors: int | None = None) -> ConnectionLimits:
        """Share out `connections` (gunicorn's worker_connections, beyond which nothing is accepted)
        and `descriptors` (this process's limit), so that what waits for clients takes no more than
        seven eighths of the one and a quarter of the other."""
        if descriptors is None:
            descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = min(connections * 7 // 8, descriptors // 4, _HALF_OPEN + _KEPT + _DRAINING)
        return cls(max(2, most * 4 // 9), max(2, most * 4 // 9), max(2, most // 9))

    def viewers(self, descriptors: int | None = None) -> int:
        """Return for how many viewers there are descriptors left."""
        if descriptors is None:
            descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return max(1, descriptors - sum(self) - _OWN)
