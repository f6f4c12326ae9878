"""All viewers of one worker: takes connections in, keeps a feed a camera, counts.

Made in the worker after the fork (ZeroMQ contexts do not survive one). Runs in the worker's main
thread, except `viewers`, `worker_counts` and `server`, which request threads may call.

What was counted is put on the scoreboard each second while there are viewers, and at the end.
"""

from __future__ import annotations

import logging
import socket
from functools import partial

import zmq
from framebus.listener import own_context

from web_workers.admission.rate_estimate import bytes_per_s
from web_workers.admission.viewer_limits import Admission, LimitReached, Limits, ViewerLimits
from web_workers.counts.publisher import CountsPublisher
from web_workers.counts.scoreboard import Scoreboard
from web_workers.counts.worker_counts import (
    ALL_CAMERAS,
    FRAMES,
    REFUSED,
    STATES,
    Closed,
    Key,
    WorkerCounts,
)
from web_workers.feeds.events import EventFeed
from web_workers.feeds.fanout import Fanout
from web_workers.feeds.feed import Feed
from web_workers.feeds.housekeeping import housekeep, viewer_documents
from web_workers.feeds.placeholder import Painter
from web_workers.feeds.worker_pids import worker_pids
from web_workers.handover.channel import Channel
from web_workers.handover.codec import restored_viewer
from web_workers.handover.migration import ViewerMigration
from web_workers.handover.shared import Shared
from web_workers.handover.viewer_state import ViewerState
from web_workers.handover.worker_registry import WorkerRegistry
from web_workers.responses.takeover import FrameTicket, TakeOver, Ticket
from web_workers.settings import Cameras
from web_workers.viewers.broadcast_send import broadcast_factory
from web_workers.viewers.rate_limiter import FrameRateLimiter
from web_workers.viewers.viewer import EVENTS, Viewer
from web_workers.wire.loop import StreamLoop, Timer
from web_workers.wire.uring import Uring

log = logging.getLogger("gunicorn.error")

EVERY_NS = 1_000_000_000
"""How often the scoreboard is written; so much a worker that is killed may have left uncounted."""


class WorkerStreams:
    """What a StreamWorker has besides gunicorn's own."""

    def __init__(
        self,
        *,
        cameras: Cameras,
        uring: Uring | None,
        shared: Shared,
        age: int,
        limits: Limits,
        room: int,
    ) -> None:
        """Make the loop and nothing that costs anything while nobody looks.

        `shared` is what all workers have in common; `age` is this one's, as gunicorn counts them.
        `room` is how many viewers it has descriptors for; `uring` is closed with the rest.
        """
        self._cameras = cameras
        self.loop = StreamLoop()
        board = Scoreboard(shared.scoreboard)
        self._publisher = CountsPublisher(board, self.loop.clock)
        self._timer: Timer | None = None
        channel = Channel(shared.lanes)
        self._viewer_limits = ViewerLimits(
            limits, board.shared_load(), room=room, moving=channel.waiting
        )
        self._context = own_context()
        self._painter = Painter(self.loop.call_from_thread)
        self._feeds: dict[str, Feed] = {}
        self._uring = uring
        self._broadcast_factory = broadcast_factory(self._uring)
        self.migration = ViewerMigration(
            host=self,
            channel=channel,
            registry=WorkerRegistry(shared.registry),
            age=age,
            loop=self.loop,
        )
        self._events = EventFeed(
            cameras=cameras,
            context=self._context,
            loop=self.loop,
            workers=worker_pids,
            lost=self.migration.lost,
        )

    def take_over(self, sock: socket.socket, peer: str, taken: TakeOver) -> None:
        """Serve a connection from now on.

        Raises OSError when the client is gone already, or when there are no descriptors left;
        its admission is given up then.
        """
        try:
            viewer = Viewer(sock, peer=peer, clock=self.loop.clock, on_close=self.loop.remove)
            self.loop.add(viewer.fileno(), EVENTS, viewer.on_event)
        except OSError:
            taken.release()
            raise
        viewer.admission = taken.admission
        try:
            self._join(viewer, taken)
        except (zmq.ZMQError, OSError) as error:
            viewer.close(Closed.FAILED)
            raise OSError(error.errno, f"no descriptor for a feed: {error}") from error
        self.migration.counted()
        if self._timer is None:
            self._housekeep()

    def all_viewers(self) -> list[Viewer]:
        """Return all viewers, those of frames first."""
        frames = [viewer for feed in self._feeds.values() for viewer in feed.fanout.viewers]
        return [*frames, *self._events.viewers]

    def frame_viewers(self) -> int:
        """Return how many view frames."""
        return sum(len(feed.fanout.viewers) for feed in self._feeds.values())

    def state_of(self, viewer: Viewer) -> ViewerState:
        """Return what a viewer takes along to another worker."""
        return _home(viewer).state_of(viewer)

    def moved_out(self, viewer: Viewer) -> None:
        """Forget a viewer that another worker serves on."""
        viewer.let_go()
        _home(viewer).moved_out(viewer)

    def move_in(self, sock: socket.socket, viewer_state: ViewerState, rest: bytes) -> bool:
        """Serve a viewer that another worker has served; False if that cannot be done."""
        try:
            viewer = restored_viewer(
                sock, viewer_state, rest, clock=self.loop.clock, on_close=self.loop.remove
            )
            self.loop.add(viewer.fileno(), EVENTS, viewer.on_event)
            viewer.admission = self._viewer_limits.readmit(viewer_state.origin, viewer_state.rate)
        except OSError as error:
            log.warning("a viewer of another worker cannot be served: %s", error)
            sock.close()
            return False
        try:
            if viewer_state.camera is None or viewer_state.states:
                self._events.move_in(viewer, viewer_state.camera)
            else:
                self._feed(viewer_state.camera).move_in(viewer, viewer_state)
        except (zmq.ZMQError, OSError) as error:
            log.warning("a viewer of another worker cannot be served: %s", error)
            viewer.close(Closed.FAILED)
            return False
        return True

    def settle(self) -> None:
        """Tell all workers of viewers that have come or gone."""
        self._publish_counts()
        self.migration.counted()
        if self._timer is None:
            self._housekeep()

    def admit(self, ticket: Ticket, address: str | None) -> Admission:
        """Admit a viewer; raises LimitReached. Any thread."""
        frames = ticket if isinstance(ticket, FrameTicket) else None
        rate = 0
        if frames is not None and self._viewer_limits.limits.of_rates:
            rate = bytes_per_s(self._cameras.names(frames.camera), frames.fps)
        try:
            return self._viewer_limits.admit(address, rate)
        except LimitReached as full:
            camera = ticket.camera or ALL_CAMERAS
            key = (REFUSED, camera, FRAMES if frames else STATES, full.reason.value)
            self.loop.call_from_thread(partial(self._refuse, key, str(full)))
            raise

    def _refuse(self, key: Key, text: str) -> None:
        self._publisher.refused(key, text)
        self._count_soon()

    def viewers(self, camera: str) -> list[dict[str, object]]:
        """Return the counters of this worker's viewers of a camera's frames."""
        feed = self._feeds.get(camera)
        if feed is None:
            return []
        return viewer_documents(feed.fanout, self.loop.clock())

    def worker_counts(self) -> tuple[WorkerCounts, int]:
        """Return what all workers that ever were have counted, and how many live."""
        return self._publisher.read()

    def server(self) -> dict[str, object]:
        """Return the document of an event `server`. Any thread."""
        return {"workers": worker_pids(), "lost": self.migration.lost()}

    def close(self) -> None:
        """Close every viewer and everything else."""
        self.migration.close()
        for feed in self._feeds.values():
            feed.close()
        self._events.close()
        self._publish_counts()
        self._painter.close()
        if self._uring is not None:
            self._uring.close()
        self.loop.close()
        self._context.destroy(linger=0)  # never waits, even if told to end in the middle of things

    def dropped(self, reason: str) -> None:
        """Count a connection that was given up before or after its request."""
        self._publisher.dropped(reason)
        self._count_soon()

    def _count_soon(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_at(self.loop.clock() + EVERY_NS, self._housekeep)

    def _housekeep(self) -> None:
        """Do once a second what nobody waits for, until after the last viewer has left."""
        now = self.loop.clock()
        for feed in self._feeds.values():
            housekeep(feed.fanout, now, rates=self._viewer_limits.limits.of_rates)
        self._publish_counts()
        self.migration.counted()
        busy = self._events.viewers or any(feed.fanout.viewers for feed in self._feeds.values())
        self._timer = self.loop.call_at(now + EVERY_NS, self._housekeep) if busy else None

    def _publish_counts(self) -> None:
        feeds = (feed.fanout.worker_counts() for feed in self._feeds.values())
        self._publisher.write(
            (self.migration.worker_counts(), self._events.worker_counts(), *feeds)
        )

    def _join(self, viewer: Viewer, taken: TakeOver) -> None:
        ticket = taken.ticket
        if isinstance(ticket, FrameTicket):
            viewer.style = ticket.style
            viewer.rate_limiter = FrameRateLimiter(ticket.fps) if ticket.fps else None
            viewer.dual_final = ticket.dual_final
            feed = self._feed(ticket.camera)
            if feed.fanout.newest is not None:
                viewer.limit_unsent(feed.fanout.newest.size)
            feed.join(viewer, taken.head)
        else:
            self._events.join(viewer, taken.head, ticket.camera)

    def _feed(self, camera: str) -> Feed:
        feed = self._feeds.get(camera)
        if feed is None:
            feed = self._feeds[camera] = Feed(
                names=self._cameras.names(camera),
                context=self._context,
                loop=self.loop,
                paint=self._painter.paint,
                broadcast_factory=self._broadcast_factory,
            )
        return feed


def _home(viewer: Viewer) -> Fanout | EventFeed:
    """What a viewer of this worker belongs to."""
    if isinstance(viewer.owner, Fanout | EventFeed):
        return viewer.owner
    raise TypeError(f"a viewer of {viewer.owner!r}")
