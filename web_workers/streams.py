"""All viewers of one worker: takes connections in, keeps a feed a camera, counts.

Made in the worker after the fork (ZeroMQ contexts do not survive one). Runs in the worker's main
thread, except `viewers` and `scores`, which request threads may call.

What was counted is put on the scoreboard each second while there are viewers, and at the end.
"""

from __future__ import annotations

import logging
import socket

import zmq
from framebus.notify import own_context

from web_workers import siblings
from web_workers.events import EventFeed
from web_workers.feed import Feed
from web_workers.loop import StreamLoop, Timer
from web_workers.placeholder import Painter
from web_workers.scoreboard import Scoreboard
from web_workers.scores import Closed, Scores, total
from web_workers.settings import Cameras
from web_workers.takeover import FrameTicket, TakeOver
from web_workers.thinning import Thinner
from web_workers.viewer import EVENTS, Viewer

log = logging.getLogger("gunicorn.error")

EVERY_NS = 1_000_000_000
"""How often the scoreboard is written; so much a worker that is killed may have left uncounted."""
FPS_NS = 5_000_000_000
"""Over how long a viewer's frames a second are measured, at least."""


class WorkerStreams:
    """What a StreamWorker has besides gunicorn's own."""

    def __init__(self, *, cameras: Cameras, board: Scoreboard) -> None:
        """Make the loop and nothing that costs anything while nobody looks.

        `board` is the one that all workers share.
        """
        self._cameras = cameras
        self._board = board
        self._slot = board.claim()
        self._too_long = False
        if self._slot is None:
            log.warning("too many workers: the viewers of this one are not in /metrics")
        self._timer: Timer | None = None
        self._context = own_context()
        self.loop = StreamLoop()
        self._painter = Painter(self.loop.call_from_thread)
        self._feeds: dict[str, Feed] = {}
        self._events = EventFeed(
            cameras=cameras, context=self._context, loop=self.loop, workers=siblings.workers
        )

    def take_over(self, sock: socket.socket, peer: str, taken: TakeOver) -> None:
        """Serve a connection from now on.

        Raises OSError when the client is gone already, or when there are no descriptors left.
        """
        viewer = Viewer(sock, peer=peer, clock=self.loop.clock, on_close=self.loop.remove)
        self.loop.add(viewer.fileno(), EVENTS, viewer.on_event)
        try:
            self._admit(viewer, taken)
        except zmq.ZMQError as error:
            viewer.close(Closed.FAILED)
            raise OSError(error.errno, f"no socket for a feed: {error}") from error
        if self._timer is None:
            self._look_after()

    def viewers(self, camera: str) -> list[dict[str, object]]:
        """Return the counters of this worker's viewers of a camera's frames."""
        feed = self._feeds.get(camera)
        if feed is None:
            return []
        now = self.loop.clock()
        documents: list[dict[str, object]] = []
        fanout = feed.fanout
        for viewer in fanout.viewers:
            account, age_ns = fanout.account(viewer), fanout.age_ns(viewer)
            seconds = (now - viewer.joined_ns) / 1e9
            fps = account.sent / max(1.0, seconds) if viewer.fps is None else viewer.fps
            documents.append(
                {
                    "peer": viewer.peer,
                    "seconds": round(seconds, 3),
                    "style": viewer.style.value,
                    "dual_final_frames": viewer.dual_final,
                    "fps": round(fps, 2),
                    "age_s": None if age_ns is None else round(age_ns / 1e9, 3),
                    "sent": account.sent,
                    "skipped": account.skipped + account.waiting,
                    "bytes": account.bytes,
                }
            )
        return documents

    def scores(self) -> tuple[Scores, int]:
        """Return what all workers that ever were have counted, and how many live."""
        return self._board.read()

    def close(self) -> None:
        """Close every viewer and everything else."""
        for feed in self._feeds.values():
            feed.close()
        self._events.close()
        self._write_scores()
        self._painter.close()
        self.loop.close()
        self._context.destroy(linger=0)  # never waits, even if told to end in the middle of things

    def _look_after(self) -> None:
        """Do once a second what nobody waits for, until after the last viewer has left."""
        now = self.loop.clock()
        for feed in self._feeds.values():
            feed.fanout.close_stalled(now)
            for viewer in feed.fanout.viewers:
                since_ns, before = viewer.marked
                if now - since_ns >= FPS_NS:
                    sent = feed.fanout.account(viewer).sent
                    viewer.fps = (sent - before) * 1e9 / (now - since_ns)
                    viewer.marked = (now, sent)
        self._write_scores()
        busy = self._events.viewers or any(feed.fanout.viewers for feed in self._feeds.values())
        self._timer = self.loop.call_at(now + EVERY_NS, self._look_after) if busy else None

    def _write_scores(self) -> None:
        if self._slot is None:
            return
        try:
            feeds = (feed.fanout.scores() for feed in self._feeds.values())
            self._slot.write(total((self._events.scores(), *feeds)))
        except ValueError as error:
            if not self._too_long:
                log.warning("no more cameras in /metrics: %s", error)
            self._too_long = True

    def _admit(self, viewer: Viewer, taken: TakeOver) -> None:
        ticket = taken.ticket
        if isinstance(ticket, FrameTicket):
            viewer.style = ticket.style
            viewer.thinner = Thinner(ticket.fps) if ticket.fps else None
            viewer.dual_final = ticket.dual_final
            self._feed(ticket.camera).join(viewer, taken.head)
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
            )
        return feed
