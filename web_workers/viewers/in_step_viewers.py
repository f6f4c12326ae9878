"""The viewers that keep up: each frame goes to all of them at once (broadcast_send.py).

What they have in common (frames, bytes) is counted once for all, and settled with a viewer when it
falls behind or leaves: a frame costs Python nothing for each viewer but to be handed over.

Runs in the worker's main thread; `counts` may be called from others.
"""

from __future__ import annotations

import errno

from web_workers.counts.progress import Progress
from web_workers.counts.tally import Delivery
from web_workers.viewers.broadcast_send import Broadcast, BroadcastFactory, SequentialBroadcast
from web_workers.viewers.viewer import Viewer


class InStepViewers:
    """Viewers that take every frame and have nothing under way."""

    def __init__(
        self, progress: Progress, broadcast_factory: BroadcastFactory = SequentialBroadcast
    ) -> None:
        """`progress` has what is counted for all."""
        self._broadcast_factory = broadcast_factory
        self._progress = progress
        self._marks: dict[Viewer, tuple[int, int]] = {}  # what those were when a viewer came in
        self._order: tuple[Viewer, ...] | None = None  # None when it is others by now
        self._broadcast: Broadcast | None = None  # likewise

    def __contains__(self, viewer: Viewer) -> bool:
        return viewer in self._marks

    def add(self, viewer: Viewer) -> None:
        """Take in a viewer that has nothing under way."""
        self._marks[viewer] = (self._progress.frames, self._progress.bytes)
        self._order = self._broadcast = None

    def remove(self, viewer: Viewer) -> None:
        """Let a viewer go, with its counters settled; harmless if it is not here."""
        viewer.sent, viewer.bytes_sent = self.counts(viewer)
        self._marks.pop(viewer, None)
        self._order = self._broadcast = None

    def counts(self, viewer: Viewer) -> tuple[int, int]:
        """Return a viewer's frames and bytes sent, whether it is in step or not."""
        now = (self._progress.frames, self._progress.bytes)
        frames, bytes_ = self._marks.get(viewer, now)
        return viewer.sent + now[0] - frames, viewer.bytes_sent + now[1] - bytes_

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
        sent += count * self._progress.frames
        return Delivery(
            sent=sent,
            skipped=count * published - base - sent,
            bytes=bytes_ + count * self._progress.bytes,
        )

    @property
    def order(self) -> tuple[Viewer, ...]:
        """All of them, by the numbers that they have as long as it is the same ones."""
        if self._order is None:
            self._order = tuple(self._marks)
        return self._order

    def send(self, data: bytes) -> list[tuple[Viewer, int]]:
        """Send one frame to all; return those that did not take it whole, with what they took.

        They are in step no more, and the frame counts as begun for them. In place of a count
        there is the errno, negative, of a socket that is broken.
        """
        if self._broadcast is None:
            self._broadcast = self._broadcast_factory(self.order)
        size = len(data)
        progress = self._progress
        progress.frames += 1  # before it is sent: who counts meanwhile has it as published already
        short = self._broadcast.send(data)
        progress.bytes += size
        return self.fell_behind(short, size) if short else []

    def fell_behind(self, short: list[tuple[int, int]], size: int) -> list[tuple[Viewer, int]]:
        """Let those go that did not take a frame of `size` bytes whole, which is counted already.

        By their numbers, with what a Broadcast tells of each.
        """
        order = self.order
        behind = [
            (order[number], 0 if count == -errno.EAGAIN else count) for number, count in short
        ]
        for viewer, count in behind:
            self.remove(viewer)
            viewer.bytes_sent += max(count, 0) - size
        return behind
