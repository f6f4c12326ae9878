"""What is done for viewers once a second, while there are any and once after: nobody waits for it.

Runs in the worker's main thread.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from framebus.rate_limited_log import RateLimitedLog

from web_workers.counts.shared_counts import SharedCounts
from web_workers.counts.worker_counts import DROPPED, Key, WorkerCounts, total
from web_workers.feeds.fanout import Fanout
from web_workers.feeds.worker_viewers import WorkerViewers
from web_workers.handover.worker_registry import WorkerRegistry
from web_workers.wire.loop import StreamLoop, Timer

log = logging.getLogger("gunicorn.error")

EVERY_NS = 1_000_000_000
"""How often counts are published; so much a worker that is killed may have left uncounted."""
FPS_NS = 5_000_000_000
"""Over how long a viewer's frames a second are measured, at least."""
_SAY_AGAIN_S = 10


@dataclass(kw_only=True, eq=False)
class Housekeeping:
    """One worker's."""

    loop: StreamLoop
    viewers: WorkerViewers
    registry: WorkerRegistry
    counts: SharedCounts
    handovers: Callable[[], WorkerCounts]
    """Counts them."""
    rates: bool
    """Whether it matters what a viewer takes."""
    _turned_away: Counter[Key] = field(init=False, default_factory=Counter)
    _limited_log: RateLimitedLog = field(init=False)
    _too_long: bool = field(init=False, default=False)
    _timer: Timer | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Begin to count, and to look after nobody."""
        self._limited_log = RateLimitedLog(log, self.loop.clock, every_s=_SAY_AGAIN_S)

    def viewer_came(self) -> None:
        """Tell all workers of one viewer more, and begin to look after it."""
        if self._timer is None:
            self._run()
        else:
            self.registry.has(self.viewers.frame_viewers())

    def viewers_moved(self) -> None:
        """Tell all workers of viewers that have come from others or gone to them."""
        if self._timer is None:
            self._run()
        else:
            self.publish()

    def refused(self, key: Key, text: str) -> None:
        """Count a viewer that was not admitted; the last of `key` is why."""
        self._turn_away(key, f"a viewer was refused: {text}")

    def dropped(self, reason: str) -> None:
        """Count a connection that was given up before or after its request."""
        self._turn_away((DROPPED, reason), f"a connection was dropped: {reason}")

    def publish(self) -> None:
        """Tell all workers what has been counted."""
        here = WorkerCounts(dict(self._turned_away))
        try:
            self.counts.write(total((here, self.handovers(), *self.viewers.worker_counts())))
        except ValueError as error:
            if not self._too_long:
                log.warning("no more cameras in /metrics: %s", error)
            self._too_long = True
        self.registry.has(self.viewers.frame_viewers())

    def _turn_away(self, key: Key, text: str) -> None:
        self._turned_away[key] += 1
        self._limited_log.warning(key[-1], text)
        if self._timer is None:
            self._timer = self.loop.call_at(self.loop.clock() + EVERY_NS, self._run)

    def _run(self) -> None:
        now = self.loop.clock()
        self.viewers.want_frames()
        for fanout in self.viewers.fanouts():
            housekeep(fanout, now, rates=self.rates)
        self.publish()
        busy = self.viewers.all_viewers()
        self._timer = self.loop.call_at(now + EVERY_NS, self._run) if busy else None


def housekeep(fanout: Fanout, now: int, *, rates: bool) -> None:
    """Close who has stalled and measure the others; with `rates` their bytes a second too.

    What is done for each viewer each time is as dear as a few frames, and so it is hardly anything.
    """
    fanout.close_stalled(now)
    newest = fanout.newest
    for viewer in fanout.viewers:
        since_ns, before = viewer.marked
        if now - since_ns >= FPS_NS:
            sent = fanout.delivery(viewer).sent
            viewer.fps = (sent - before) * 1e9 / (now - since_ns)
            viewer.marked = (now, sent)
            if newest is not None:
                viewer.limit_unsent(newest.size)
        if rates and viewer.admission is not None:
            viewer.admission.measured(now, fanout.delivery(viewer).bytes)
