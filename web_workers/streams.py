"""All viewers of one worker: takes connections in, keeps a feed a camera, counts.

Made in the worker after the fork (ZeroMQ contexts do not survive one). Runs in the worker's main
thread, except `viewers`, which request threads may call.
"""

from __future__ import annotations

import socket

import zmq
from framebus.notify import own_context

from web_workers import siblings
from web_workers.events import EventFeed
from web_workers.feed import Feed
from web_workers.loop import StreamLoop
from web_workers.placeholder import Painter
from web_workers.settings import Cameras
from web_workers.takeover import FrameTicket, TakeOver
from web_workers.thinning import Thinner
from web_workers.viewer import EVENTS, Viewer


class WorkerStreams:
    """What a StreamWorker has besides gunicorn's own."""

    def __init__(self, *, cameras: Cameras) -> None:
        """Make the loop and nothing that costs anything while nobody looks."""
        self._cameras = cameras
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
            viewer.close()
            raise OSError(error.errno, f"no socket for a feed: {error}") from error

    def viewers(self, camera: str) -> list[dict[str, object]]:
        """Return the counters of this worker's viewers of a camera's frames."""
        feed = self._feeds.get(camera)
        if feed is None:
            return []
        now = self.loop.clock()
        published = feed.published
        documents: list[dict[str, object]] = []
        for viewer in feed.viewers:
            sent, bytes_sent = feed.counts(viewer)
            documents.append(
                {
                    "peer": viewer.peer,
                    "seconds": round((now - viewer.joined_ns) / 1e9, 3),
                    "style": viewer.style.value,
                    "dual_final_frames": viewer.dual_final,
                    "sent": sent,
                    "skipped": max(0, published - viewer.base - sent),
                    "bytes": bytes_sent,
                }
            )
        return documents

    def close(self) -> None:
        """Close every viewer and everything else."""
        for feed in self._feeds.values():
            feed.close()
        self._events.close()
        self._painter.close()
        self.loop.close()
        self._context.destroy(linger=0)  # never waits, even if told to end in the middle of things

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
