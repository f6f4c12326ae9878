"""Server-sent events: the state of one camera, or of all, live, to viewers in the event loop.

Each viewer is sent the state at once, at each change that a daemon tells of, and every second. A
viewer that is slow misses states, never gets an old one after a new one. Nothing runs while nobody
listens. The wire is the HTML standard's text/event-stream: an event `state` has one document of
cameras/observe.py, with its `camera`; an event `server` has the worker processes that there are,
and how often workers have lost viewers.
"""

from __future__ import annotations

import json
import logging
import select
from collections.abc import Callable, Mapping
from functools import partial

from framebus.contract import status_document
from framebus.errors import CameraAbsent
from framebus.listener import Subscription, event_subscription

from web_workers.cameras.observe import observe
from web_workers.counts.tally import Delivery, Tally
from web_workers.counts.worker_counts import ALL_CAMERAS, STATES, Closed, WorkerCounts, total
from web_workers.handover.codec import viewer_fields
from web_workers.handover.viewer_state import ViewerState
from web_workers.settings import Cameras
from web_workers.viewers.viewer import Viewer
from web_workers.wire.loop import StreamLoop, Timer

log = logging.getLogger("gunicorn.error")

CONTENT_TYPE = "text/event-stream; charset=utf-8"
RETRY = b"retry: 500\n\n"
"""Tells a browser to connect again half a second after it lost the connection."""
_NO_DAEMON = (CameraAbsent, ConnectionError, FileNotFoundError)
EVERY_NS = 1_000_000_000
WATCH_NS = 200_000_000
"""How often the workers are looked at: a page whose picture was lost is to have it back soon."""


def message(document: Mapping[str, object], event: str = "state") -> bytes:
    """Return one event."""
    text = json.dumps(document, separators=(",", ":"))
    return f"event: {event}\ndata: {text}\n\n".encode()


class EventFeed:
    """All viewers of states in one worker. Runs in the worker's main thread."""

    def __init__(
        self,
        *,
        cameras: Cameras,
        loop: StreamLoop,
        workers: Callable[[], list[int]],
        lost: Callable[[], int],
    ) -> None:
        """Make a feed that does nothing until somebody joins.

        `workers` lists process ids; `lost` counts how often viewers of any worker lost their
        connection because of that worker.
        """
        self._cameras = cameras
        self._loop = loop
        self._workers = workers
        self._count_lost = lost
        self._lost = 0
        self._viewers: dict[Viewer, str | None] = {}  # the camera it wants; None for all
        self._subscriptions: dict[str, Subscription] = {}  # by camera
        self._told_unsubscribed: set[str] = set()  # cameras of which that was said
        self._latest: dict[str, bytes] = {}  # message by camera
        self._server = b""  # message about the workers
        self._behind: set[Viewer] = set()  # were busy when there was news
        self._tallies: dict[str | None, Tally] = {}  # by what was wanted
        self._timer: Timer | None = None
        self._watcher: Timer | None = None
        self._awake = False

    def join(self, viewer: Viewer, head: bytes, camera: str | None) -> None:
        """Take a viewer in: send `head` and the state of what it asked for."""
        self._settle_in(viewer, camera).joined()
        viewer.push(head + RETRY + self._wanted(camera))

    def state_of(self, viewer: Viewer) -> ViewerState:
        """Return what a viewer takes along to another worker."""
        return ViewerState(
            camera=self._viewers[viewer], states=True, **viewer_fields(viewer, viewer.bytes_sent)
        )

    def moved_out(self, viewer: Viewer) -> None:
        """Forget a viewer that another worker serves on."""
        wanted = self._viewers[viewer]
        self._tallies[wanted].moved_out(Delivery(bytes=viewer.bytes_sent))
        self._forget(viewer)

    def move_in(self, viewer: Viewer, camera: str | None) -> None:
        """Take in a viewer that another worker has served, and tell it how things are now."""
        tally = self._settle_in(viewer, camera)
        tally.moved_in(Delivery(bytes=viewer.bytes_sent))
        self._send(viewer, self._wanted(camera))

    def drained(self, viewer: Viewer) -> None:
        """Tell a viewer that was busy what it missed."""
        if viewer in self._behind:
            self._behind.discard(viewer)
            viewer.push(self._wanted(self._viewers[viewer]))

    def left(self, viewer: Viewer, why: Closed) -> None:
        """Forget a viewer; without viewers, stop listening."""
        wanted = self._viewers[viewer]
        self._tallies[wanted].left(Delivery(bytes=viewer.bytes_sent), why)
        self._forget(viewer)

    def _settle_in(self, viewer: Viewer, camera: str | None) -> Tally:
        """Have a viewer among the others; returns the tally that it counts in."""
        viewer.owner = self
        if not self._awake:
            self._awake = True
            self._tick()
            self._watch()
        self._viewers[viewer] = camera
        return self._tallies.setdefault(camera, Tally())

    def _forget(self, viewer: Viewer) -> None:
        del self._viewers[viewer]
        self._behind.discard(viewer)
        if not self._viewers:
            self._stop()

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        """Those connected now."""
        return tuple(self._viewers)

    def worker_counts(self) -> WorkerCounts:
        """Return what its viewers came to, those that have left included."""
        present: dict[str | None, list[Delivery]] = {wanted: [] for wanted in self._tallies}
        for viewer, wanted in self._viewers.items():
            present[wanted].append(Delivery(bytes=viewer.bytes_sent))
        return total(
            self._tallies[wanted].worker_counts(wanted or ALL_CAMERAS, STATES, len(each), each)
            for wanted, each in present.items()
        )

    def received(self, camera: str, text: bytes) -> None:
        """Take a daemon's word for a change of its state."""
        told = status_document.parse(text)
        if told.pop("event", None) != "state":
            return  # the state of this second stands
        self._look(camera, told)
        for viewer, wanted in tuple(self._viewers.items()):
            if wanted in (None, camera):
                self._send(viewer, self._latest[camera])

    def close(self) -> None:
        """Close all viewers, and so stop."""
        for viewer in self.viewers:
            viewer.close(Closed.ENDED)

    def _tick(self) -> None:
        """Look at every camera, and tell everybody."""
        for camera in self._cameras.known():
            self._listen(camera)
            self._look(camera)
        self._look_at_workers()
        for viewer, wanted in tuple(self._viewers.items()):
            self._send(viewer, self._wanted(wanted))
        now = self._loop.clock()
        for viewer in tuple(self._viewers):
            if viewer.stalled(now):
                viewer.close(Closed.STALLED)
        if self._awake:  # the last viewer may have left
            self._timer = self._loop.call_at(now + EVERY_NS, self._tick)

    def _watch(self) -> None:
        """Tell at once when a worker has lost viewers: no browser tells a page that it was one.

        And hear again of a daemon that has come.
        """
        for subscription in tuple(self._subscriptions.values()):
            subscription.connect()
        if self._count_lost() != self._lost:
            self._look_at_workers()
            for viewer in tuple(self._viewers):
                self._send(viewer, self._server)
        if self._awake:  # the last viewer may have left
            self._watcher = self._loop.call_at(self._loop.clock() + WATCH_NS, self._watch)

    def _look_at_workers(self) -> None:
        self._lost = self._count_lost()
        self._server = message({"workers": self._workers(), "lost": self._lost}, "server")

    def _listen(self, camera: str) -> None:
        """Hear what a daemon tells; where that cannot be, its states come each second still."""
        if camera not in self._subscriptions:
            self._subscriptions[camera] = event_subscription(
                self._cameras.names(camera),
                opened=partial(self._wait_for, camera),
                closing=self._loop.remove,
            )
        self._subscriptions[camera].connect()
        trouble = self._subscriptions[camera].trouble
        if trouble is None:
            self._told_unsubscribed.discard(camera)
        elif not isinstance(trouble, _NO_DAEMON) and camera not in self._told_unsubscribed:
            self._told_unsubscribed.add(camera)  # it is tried again with each tick
            log.warning("states of camera %s come each second only: %s", camera, trouble)

    def _wait_for(self, camera: str, descriptor: int) -> None:
        self._loop.add(descriptor, select.EPOLLIN, lambda _: self._receive(camera))

    def _receive(self, camera: str) -> None:
        """Take what has arrived."""
        for text in self._subscriptions[camera].receive():
            if camera in self._subscriptions:  # the last viewer may leave over what is told
                self.received(camera, text)

    def _look(self, camera: str, status: Mapping[str, object] | None = None) -> None:
        names = self._cameras.names(camera)
        seen = observe(names, now_ns=self._loop.clock(), status=status)
        self._latest[camera] = message(seen.document())

    def _send(self, viewer: Viewer, news: bytes) -> None:
        if viewer.rest is None:
            viewer.push(news)
        else:
            self._behind.add(viewer)

    def _wanted(self, camera: str | None) -> bytes:
        """Return all that there is to know about what a viewer wants."""
        if camera is not None:
            return self._server + self._latest.get(camera, b"")
        return self._server + b"".join(self._latest[name] for name in sorted(self._latest))

    def _stop(self) -> None:
        for subscription in self._subscriptions.values():
            subscription.hang_up()
        self._subscriptions.clear()
        self._latest.clear()
        for timer in (self._timer, self._watcher):
            if timer is not None:
                timer.cancel()
        self._awake = False
