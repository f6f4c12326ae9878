"""All viewers of one worker: takes their connections in, each into the feed of what it views.

Runs in the worker's main thread.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from web_workers.admission.viewer_limits import ViewerLimits
from web_workers.counts.worker_counts import Closed, WorkerCounts
from web_workers.feeds.events import EventFeed
from web_workers.feeds.fanout import Fanout
from web_workers.feeds.feed import Feed
from web_workers.handover.codec import restored_viewer
from web_workers.handover.viewer_state import ViewerState
from web_workers.responses.takeover import FrameTicket, TakeOver
from web_workers.viewers.rate_limiter import FrameRateLimiter
from web_workers.viewers.viewer import EVENTS, Viewer
from web_workers.wire.loop import StreamLoop

log = logging.getLogger("gunicorn.error")


@dataclass(kw_only=True, eq=False)
class WorkerViewers:
    """One worker's; to the hand-over it is their `ViewerHost`."""

    loop: StreamLoop
    make_feed: Callable[[str], Feed]
    """Called when somebody wants to see a camera for the first time."""
    events: EventFeed
    limits: ViewerLimits
    came: Callable[[], None]
    """Called for each viewer that comes from its request."""
    _feeds: dict[str, Feed] = field(init=False, default_factory=dict)

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
        self._join(viewer, taken)
        self.came()

    def all_viewers(self) -> list[Viewer]:
        """Return all viewers, those of frames first."""
        frames = [viewer for fanout in self.fanouts() for viewer in fanout.viewers]
        return [*frames, *self.events.viewers]

    def frame_viewers(self) -> int:
        """Return how many view frames."""
        return sum(len(fanout.viewers) for fanout in self.fanouts())

    def awake(self) -> list[Feed]:
        """Return the feeds of the cameras that somebody views."""
        return [feed for feed in self._feeds.values() if feed.awake]

    def fanouts(self) -> list[Fanout]:
        """Return the fan-outs of all cameras that anybody has looked at."""
        return [feed.fanout for feed in self._feeds.values()]

    def fanout(self, camera: str) -> Fanout | None:
        """Return a camera's fan-out, if anybody has looked at it. Any thread."""
        feed = self._feeds.get(camera)
        return feed.fanout if feed is not None else None

    def worker_counts(self) -> Iterable[WorkerCounts]:
        """Return what viewers came to, those that have left included."""
        return (self.events.worker_counts(), *(each.worker_counts() for each in self.fanouts()))

    def want_frames(self) -> None:
        """Tell the daemons of the cameras that anybody views that frames are wanted."""
        for feed in self._feeds.values():
            feed.want()

    def state_of(self, viewer: Viewer) -> ViewerState:
        """Return what a viewer takes along to another worker."""
        return _owner(viewer).state_of(viewer)

    def moved_out(self, viewer: Viewer) -> None:
        """Forget a viewer that another worker serves on."""
        viewer.let_go()
        _owner(viewer).moved_out(viewer)

    def move_in(self, sock: socket.socket, state: ViewerState, rest: bytes) -> bool:
        """Serve a viewer that another worker has served; False if that cannot be done."""
        clock, on_close = self.loop.clock, self.loop.remove
        viewer = None
        try:
            restored = restored_viewer(sock, state, rest, clock=clock, on_close=on_close)
            self.loop.add(restored.fileno(), EVENTS, restored.on_event)
            viewer = restored
            viewer.admission = self.limits.readmit(state.origin, state.rate)
            if state.camera is None or state.states:
                self.events.move_in(viewer, state.camera)
            else:
                self._feed(state.camera).move_in(viewer, state)
        except OSError as error:
            log.warning("a viewer of another worker cannot be served: %s", error)
            if viewer is None:
                sock.close()
            else:
                viewer.close(Closed.FAILED)
            return False
        return True

    def close(self) -> None:
        """Close every viewer."""
        for feed in self._feeds.values():
            feed.close()
        self.events.close()

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
            self.events.join(viewer, taken.head, ticket.camera)

    def _feed(self, camera: str) -> Feed:
        feed = self._feeds.get(camera)
        if feed is None:
            feed = self._feeds[camera] = self.make_feed(camera)
        return feed


def _owner(viewer: Viewer) -> Fanout | EventFeed:
    """What a viewer of this worker belongs to."""
    if isinstance(viewer.owner, Fanout | EventFeed):
        return viewer.owner
    raise TypeError(f"a viewer of {viewer.owner!r}")
