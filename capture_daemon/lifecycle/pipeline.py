"""One source's way from its device to the ring: who reads it, what is counted, who commands it.

A daemon has two: the camera's and its fallback's. They know nothing of each other.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from framebus.options.table import IDLE_AFTER, IDLE_FPS

from capture_daemon.capturing.counters import FrameCounters
from capture_daemon.capturing.publisher import Publisher
from capture_daemon.capturing.rate_gate import RateGate
from capture_daemon.capturing.reports import Mailbox, Report
from capture_daemon.capturing.switcher import Input
from capture_daemon.capturing.thread import CaptureThread
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.demand import Demand
from capture_daemon.lifecycle.outage import Outage
from capture_daemon.ownership.source_owner import SourceOwner
from capture_daemon.recovery.base import Rungs
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Source


@dataclass(frozen=True, slots=True)
class SourceAccess:
    """How a source is got hold of, and got back."""

    sources: SourceOwner
    rungs: Rungs


class Pipeline:
    """Built by parts.py; its thread is started and ended there."""

    def __init__(
        self,
        name: str,
        *,
        request: CaptureRequest,
        access: SourceAccess,
        outlet: Input,
        outage: Outage,
        mailbox: Mailbox,
        opened: Callable[[int, Source], None] | None,
        rests: bool = False,
    ) -> None:
        """`name` is the thread's; `opened` gets each source that it opens.

        `rests`: the request's options say what it does while nobody wants frames.
        """
        self.counters = FrameCounters(outlet.state, outlet.lock)
        gate, options = RateGate(outlet.state), request.options
        demand = Demand()
        if rests:
            demand = Demand(
                idle_after_s=options[IDLE_AFTER], idle_fps=options[IDLE_FPS], limit=gate.limit
            )
        self.capture = CaptureThread(
            name=name,
            sources=access.sources,
            rungs=access.rungs,
            publisher=Publisher(outlet=outlet, counters=self.counters, gate=gate),
            counters=self.counters,
            post=mailbox.slot(self._on_report),
            opened=opened,
        )
        self.controller = CaptureController(
            capture=self.capture,
            request=request,
            jitter=random.random,
            now_ns=time.monotonic_ns(),
            outage=outage,
            demand=demand,
        )

    def _on_report(self, report: Report) -> None:
        self.controller.on_report(report, time.monotonic_ns())
