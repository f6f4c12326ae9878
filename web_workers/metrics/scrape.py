"""Answers a scrape: looks at every camera, asks the daemons that live, and adds up the workers."""

from __future__ import annotations

import time
from collections.abc import Callable

from framebus.errors import FramebusError

from web_workers.cameras.incidents import TIMEOUT_S, ask
from web_workers.cameras.observe import ABSENT, observe
from web_workers.metrics import camera, incidents, viewers
from web_workers.metrics.families import MetricFamilies
from web_workers.responses.takeover import Streams
from web_workers.settings import Cameras

PATIENCE_S = 3.0
"""How long all daemons together may take: Prometheus waits ten seconds for an answer."""


def scrape(
    cameras: Cameras,
    streams: Streams | None,
    accept: str,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[bytes, str]:
    """Return the answer and its Content-Type. Blocks for up to `PATIENCE_S`, usually for 10 ms.

    `streams` is the worker's, None under a server that has none: then nothing is told of viewers.
    `accept` is the request's header.
    """
    families = MetricFamilies()
    known = cameras.known()
    until = clock() + PATIENCE_S
    for name in known:
        names = cameras.names(name)
        seen = observe(names, now_ns=time.monotonic_ns())
        camera.tell(families, seen)
        if seen.state != ABSENT:
            try:
                # At least a hundredth: a daemon that is well answers, though it is asked last.
                left_s = max(0.01, until - clock())
                reply = ask(names, 1, min(TIMEOUT_S, left_s))
            except FramebusError:
                reply = None
            incidents.tell(families, name, reply)
    if streams is not None:
        viewers.tell(families, known, *streams.worker_counts())
    return families.text(accept)
