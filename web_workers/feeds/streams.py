"""All viewers of one worker: takes connections in, keeps a feed a camera, counts.

Made in the worker after the fork (ZeroMQ contexts do not survive one). Runs in the worker's main
thread, except `viewers`, `scores` and `server`, which request threads may call.

What was counted is put on the scoreboard each second while there are viewers, and at the end.
"""

from __future__ import annotations

import logging
import socket
from functools import partial

import zmq
from framebus.listener import own_context

from web_workers.admission.estimate import bytes_per_s
from web_workers.admission.gate import Full, Gate, Place
from web_workers.admission.settings import Limits
from web_workers.counts.books import Books
from web_workers.counts.scoreboard import Scoreboard
from web_workers.counts.scores import ALL_CAMERAS, FRAMES, REFUSED, STATES, Closed, Key, Scores
from web_workers.feeds import siblings
from web_workers.feeds.events import EventFeed
from web_workers.feeds.fanout import Fanout
from web_workers.feeds.feed import Feed
from web_workers.feeds.placeholder import Painter
from web_workers.feeds.upkeep import documents, look_after
from web_workers.handover.carried import Carried
from web_workers.handover.channel import Channel
from web_workers.handover.luggage import unpacked_as
from web_workers.handover.porter import Porter
from web_workers.handover.roster import Roster
from web_workers.handover.shared import Shared
from web_workers.responses.takeover import FrameTicket, TakeOver, Ticket
from web_workers.settings import Cameras
from web_workers.viewers.rounds import rounds
from web_workers.viewers.thinning import Thinner
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
        self._books = Books(board, self.loop.clock)
        self._timer: Timer | None = None
        channel = Channel(shared.lanes)
        self._gate = Gate(limits, board.ledger(), room=room, moving=channel.waiting)
        self._context = own_context()
        self._painter = Painter(self.loop.call_from_thread)
        self._feeds: dict[str, Feed] = {}
        self._uring = uring
        self._rounds = rounds(self._uring)
        self.porter = Porter(
            house=self,
            channel=channel,
            roster=Roster(shared.roster),
            age=age,
            loop=self.loop,
        )
        self._events = EventFeed(
            cameras=cameras,
            context=self._context,
            loop=self.loop,
            workers=siblings.workers,
            lost=self.porter.lost,
        )

    def take_over(self, sock: socket.socket, peer: str, taken: TakeOver) -> None:
        """Serve a connection from now on.

        Raises OSError when the client is gone already, or when there are no descriptors left;
        the place is given up then.
        """
        try:
            viewer = Viewer(sock, peer=peer, clock=self.loop.clock, on_close=self.loop.remove)
            self.loop.add(viewer.fileno(), EVENTS, viewer.on_event)
        except OSError:
            taken.release()
            raise
        viewer.place = taken.place
        try:
            self._join(viewer, taken)
        except (zmq.ZMQError, OSError) as error:
            viewer.close(Closed.FAILED)
            raise OSError(error.errno, f"no descriptor for a feed: {error}") from error
        self.porter.counted()
        if self._timer is None:
            self._look_after()

    def residents(self) -> list[Viewer]:
        """Return all viewers, those of frames first."""
        frames = [viewer for feed in self._feeds.values() for viewer in feed.fanout.viewers]
        return [*frames, *self._events.viewers]

    def frame_viewers(self) -> int:
        """Return how many view frames."""
        return sum(len(feed.fanout.viewers) for feed in self._feeds.values())

    def carried(self, viewer: Viewer) -> Carried:
        """Return what a viewer takes along to another worker."""
        return _home(viewer).carried(viewer)

    def moved_out(self, viewer: Viewer) -> None:
        """Forget a viewer that another worker serves on."""
        viewer.let_go()
        _home(viewer).moved_out(viewer)

    def move_in(self, sock: socket.socket, carried: Carried, rest: bytes) -> bool:
        """Serve a viewer that another worker has served; False if that cannot be done."""
        try:
            viewer = unpacked_as(
                sock, carried, rest, clock=self.loop.clock, on_close=self.loop.remove
            )
            self.loop.add(viewer.fileno(), EVENTS, viewer.on_event)
            viewer.place = self._gate.readmit(carried.origin, carried.rate)
        except OSError as error:
            log.warning("a viewer of another worker cannot be served: %s", error)
            sock.close()
            return False
        try:
            if carried.camera is None or carried.states:
                self._events.move_in(viewer, carried.camera)
            else:
                self._feed(carried.camera).move_in(viewer, carried)
        except (zmq.ZMQError, OSError) as error:
            log.warning("a viewer of another worker cannot be served: %s", error)
            viewer.close(Closed.FAILED)
            return False
        return True

    def settle(self) -> None:
        """Tell all workers of viewers that have come or gone."""
        self._write_scores()
        self.porter.counted()
        if self._timer is None:
            self._look_after()

    def admit(self, ticket: Ticket, address: str | None) -> Place:
        """Give a place to a viewer; raises Full. Any thread."""
        frames = ticket if isinstance(ticket, FrameTicket) else None
        rate = 0
        if frames is not None and self._gate.limits.of_rates:
            rate = bytes_per_s(self._cameras.names(frames.camera), frames.fps)
        try:
            return self._gate.admit(address, rate)
        except Full as full:
            camera = ticket.camera or ALL_CAMERAS
            key = (REFUSED, camera, FRAMES if frames else STATES, full.reason.value)
            self.loop.call_from_thread(partial(self._refuse, key, str(full)))
            raise

    def _refuse(self, key: Key, text: str) -> None:
        self._books.refused(key, text)
        self._count_soon()

    def viewers(self, camera: str) -> list[dict[str, object]]:
        """Return the counters of this worker's viewers of a camera's frames."""
        feed = self._feeds.get(camera)
        if feed is None:
            return []
        return documents(feed.fanout, self.loop.clock())

    def scores(self) -> tuple[Scores, int]:
        """Return what all workers that ever were have counted, and how many live."""
        return self._books.read()

    def server(self) -> dict[str, object]:
        """Return the document of an event `server`. Any thread."""
        return {"workers": siblings.workers(), "lost": self.porter.lost()}

    def close(self) -> None:
        """Close every viewer and everything else."""
        self.porter.close()
        for feed in self._feeds.values():
            feed.close()
        self._events.close()
        self._write_scores()
        self._painter.close()
        if self._uring is not None:
            self._uring.close()
        self.loop.close()
        self._context.destroy(linger=0)  # never waits, even if told to end in the middle of things

    def dropped(self, reason: str) -> None:
        """Count a connection that was given up before or after its request."""
        self._books.dropped(reason)
        self._count_soon()

    def _count_soon(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_at(self.loop.clock() + EVERY_NS, self._look_after)

    def _look_after(self) -> None:
        """Do once a second what nobody waits for, until after the last viewer has left."""
        now = self.loop.clock()
        for feed in self._feeds.values():
            look_after(feed.fanout, now, rates=self._gate.limits.of_rates)
        self._write_scores()
        self.porter.counted()
        busy = self._events.viewers or any(feed.fanout.viewers for feed in self._feeds.values())
        self._timer = self.loop.call_at(now + EVERY_NS, self._look_after) if busy else None

    def _write_scores(self) -> None:
        feeds = (feed.fanout.scores() for feed in self._feeds.values())
        self._books.write((self.porter.scores(), self._events.scores(), *feeds))

    def _join(self, viewer: Viewer, taken: TakeOver) -> None:
        ticket = taken.ticket
        if isinstance(ticket, FrameTicket):
            viewer.style = ticket.style
            viewer.thinner = Thinner(ticket.fps) if ticket.fps else None
            viewer.dual_final = ticket.dual_final
            feed = self._feed(ticket.camera)
            if feed.fanout.newest is not None:
                viewer.expect(feed.fanout.newest.size)
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
                rounds=self._rounds,
            )
        return feed


def _home(viewer: Viewer) -> Fanout | EventFeed:
    """What a viewer of this worker belongs to."""
    if isinstance(viewer.audience, Fanout | EventFeed):
        return viewer.audience
    raise TypeError(f"a viewer of {viewer.audience!r}")
