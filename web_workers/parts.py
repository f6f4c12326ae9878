"""What one worker is made of: the only place that builds it and knows every part.

Built after the fork, in the worker's main thread. What is gunicorn's comes in: connections, and
what becomes of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from framebus.native_library import Unavailable
from framebus.options.table import IO_URING, PURE_PYTHON

from web_workers.admission.connection_limits import ConnectionLimits
from web_workers.admission.direct_answer import DirectAnswer
from web_workers.admission.request_reader import RequestReader
from web_workers.admission.response_drain import ResponseDrain
from web_workers.admission.shared_load import SharedLoad
from web_workers.admission.viewer_limits import ViewerLimits
from web_workers.counts.shared_counts import SharedCounts
from web_workers.feeds.events import EventFeed
from web_workers.feeds.feed import Feed
from web_workers.feeds.housekeeping import Housekeeping
from web_workers.feeds.placeholder import Painter
from web_workers.feeds.pumping import Pumping
from web_workers.feeds.streams import WorkerStreams
from web_workers.feeds.worker_pids import worker_pids
from web_workers.feeds.worker_viewers import WorkerViewers
from web_workers.handover.channel import Channel
from web_workers.handover.lanes import Lanes
from web_workers.handover.viewer_handover import ViewerHandover
from web_workers.handover.worker_registry import WorkerRegistry
from web_workers.native.library import Pump
from web_workers.settings import Cameras, Settings
from web_workers.viewers.broadcast_send import broadcast_factory, open_uring
from web_workers.wire.bounded_events import BoundedEvents
from web_workers.wire.loop import StreamLoop
from web_workers.worker_table import WorkerTable

if TYPE_CHECKING:
    import ssl

log = logging.getLogger("gunicorn.error")


class Parts:
    """What one worker is made of. `close` takes it apart."""

    def __init__(
        self,
        settings: Settings,
        *,
        table: WorkerTable,
        lanes: Lanes,
        age: int,
        connections: ConnectionLimits,
        keep_alive_s: float,
        tls: ssl.SSLContext | None,
        answer: Callable[[Any, bytes], DirectAnswer | None],
        serve: Callable[[Any, bytes], None],
        closed: Callable[[], None],
    ) -> None:
        """Build everything, and start nothing that costs anything while nobody looks.

        `table` has this worker's row; `lanes` lead to the other ones; `age` is the worker's, as
        gunicorn counts them. `answer` and `serve` are given a connection and its request; `closed`
        is called for each connection that is closed before or after that.
        """
        cameras = Cameras(settings)
        self.loop = loop = StreamLoop()
        self.registry = WorkerRegistry(table)
        self.registry.enter(age)
        channel = Channel(lanes)
        limits = ViewerLimits(
            settings.options, SharedLoad(table), room=connections.viewers(), moving=channel.waiting
        )
        counts = SharedCounts(table)
        self._painter = Painter(loop.call_from_thread)
        self._uring = open_uring(wanted=settings.options[IO_URING] == "auto")
        broadcasts = broadcast_factory(self._uring)
        self.viewers = WorkerViewers(
            loop=loop,
            make_feed=lambda camera: Feed(
                names=cameras.names(camera),
                loop=loop,
                paint=self._painter.paint,
                broadcast_factory=broadcasts,
            ),
            events=EventFeed(
                cameras=cameras,
                loop=loop,
                workers=worker_pids,
                lost=self.registry.lost,
            ),
            limits=limits,
            came=lambda: self.housekeeping.viewer_came(),
        )
        if not settings.options[PURE_PYTHON]:
            self._open_pump()
        self.handover = ViewerHandover(
            host=self.viewers,
            channel=channel,
            registry=self.registry,
            age=age,
            loop=loop,
            moved=lambda: self.housekeeping.viewers_moved(),
        )
        self.housekeeping = Housekeeping(
            loop=loop,
            viewers=self.viewers,
            registry=self.registry,
            counts=counts,
            handovers=self.handover.worker_counts,
            rates=limits.of_rates,
        )
        self.streams = WorkerStreams(
            loop=loop,
            cameras=cameras,
            worker_viewers=self.viewers,
            limits=limits,
            counts=counts,
            refused=self.housekeeping.refused,
            lost=self.registry.lost,
        )
        dropped = self.housekeeping.dropped
        self._requests = BoundedEvents(loop)
        self.response_drain = ResponseDrain(
            loop=self._requests, limit=connections.draining, closed=closed, dropped=dropped
        )
        self.request_reader = RequestReader(
            loop=self._requests,
            half_open=connections.half_open,
            kept=connections.kept,
            keep_ns=round(keep_alive_s * 1e9),
            answer=answer,
            serve=serve,
            send_rest=self.response_drain.send,
            leave=self.response_drain.linger,
            closed=closed,
            dropped=dropped,
            tls=tls,
        )

    def _open_pump(self) -> None:
        try:
            pump = Pump()
        except Unavailable as reason:
            log.info("each frame costs more processor time than it need: %s", reason)
        else:
            self.loop.pump = Pumping(pump, loop=self.loop, awake=self.viewers.awake)

    def close(self) -> None:
        """Close every connection and viewer, and everything else."""
        self.request_reader.close()
        self.response_drain.close()
        self._requests.close()
        self.handover.close()
        self.viewers.close()
        self.housekeeping.publish()
        self._painter.close()
        if self._uring is not None:
            self._uring.close()
        self.loop.close()
