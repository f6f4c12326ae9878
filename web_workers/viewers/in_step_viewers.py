"""The viewers that keep up: each frame goes to all of them at once (broadcast_send.py).

What they have in common (frames, bytes) is counted once for all, and settled with a viewer when it
falls behind or leaves: a frame costs Python nothing for each viewer but to be handed over.

Runs in the worker's main thread; `counts` may be called from others.
"""

from __future__ import annotations

import errno

from web_workers.counts.tally import Delivery
from web_workers.viewers.broadcast_send import Broadcast, BroadcastFactory, SequentialBroadcast
from web_workers.viewers.viewer import Viewer


class InStepViewers:
    """Viewers that take every frame and have nothing under way."""

    def __init__(self, broadcast_factory: BroadcastFactory = SequentialBroadcast) -> None:
        self._broadcast_factory = broadcast_factory
        self._frames = 0  # sent to those who were in step from the beginning
        self._bytes = 0
        self._marks: dict[Viewer, tuple[int, int]] = {}  # what those were when a viewer came in
        self._order: list[Viewer] = []
        self._broadcast: Broadcast | None = None  # None when it is to be made anew

    def __contains__(self, viewer: Viewer) -> bool:
        return viewer in self._marks

    def add(self, viewer: Viewer) -> None:
        """Take in a viewer that has nothing under way."""
        self._marks[viewer] = (self._frames, self._bytes)
        self._broadcast = None

    def remove(self, viewer: Viewer) -> None:
        """Let a viewer go, with its counters settled; harmless if it is not here."""
        viewer.sent, viewer.bytes_sent = self.counts(viewer)
        self._marks.pop(viewer, None)
        self._broadcast = None

    def counts(self, viewer: Viewer) -> tuple[int, int]:
        """Return a viewer's frames and bytes sent, whether it is in step or not."""
        frames, bytes_ = self._marks.get(viewer, (self._frames, self._bytes))
        return viewer.sent + self._frames - frames, viewer.bytes_sent + self._bytes - bytes_

    def total(self, published: int) -> Delivery:
        """Return what became of the frames of all of them, when so many have been published.

        The sum of what `counts` says of each, without asking for each: it is wanted every second.
        """
        sent = bytes_ = base = 0
        for viewer, (frames, marked) in self._marks.items():
            sent += viewer.sent - frames
            bytes_ += viewer.bytes_sent - marked
            base += viewer.base
        count = len(self._marks)
        sent += count * self._frames
        return Delivery(
            sent=sent,
            skipped=count * published - base - sent,
            bytes=bytes_ + count * self._bytes,
        )

    def send(self, data: bytes) -> list[tuple[Viewer, int]]:
        """Send one frame to all; return those that did not take it whole, with what they took.

        They are in step no more, and the frame counts as begun for them. In place of a count
        there is the errno, negative, of a socket that is broken.
        """
        if self._broadcast is None:
            self._order = list(self._marks)
            self._broadcast = self._broadcast_factory(self._order)
        size = len(data)
        self._frames += 1  # before it is sent: who counts meanwhile has it as published already
        short = self._broadcast.send(data)
        self._bytes += size
        behind = [
            (self._order[number], 0 if count == -errno.EAGAIN else count) for number, count in short
        ]
        for viewer, count in behind:
            self.remove(viewer)
            viewer.bytes_sent += max(count, 0) - size
        return behind
