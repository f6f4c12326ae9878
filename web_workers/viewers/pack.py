"""The viewers that keep up: each frame goes to all of them in one round (rounds.py).

What all of the pack have in common (frames, bytes) is counted once for all, and settled with a
viewer when it leaves the pack: a frame costs Python nothing for each viewer but to be handed over.

Runs in the worker's main thread; `counts` may be called from others.
"""

from __future__ import annotations

import errno

from web_workers.counts.tally import Account
from web_workers.viewers.rounds import OneByOne, Round, Rounds
from web_workers.viewers.viewer import Viewer


class Pack:
    """Viewers that take every frame and have nothing under way."""

    def __init__(self, rounds: Rounds = OneByOne) -> None:
        """`rounds` says how frames are handed over."""
        self._rounds = rounds
        self._frames = 0  # sent to those who were in the pack from its beginning
        self._bytes = 0
        self._marks: dict[Viewer, tuple[int, int]] = {}  # what those were when a viewer came in
        self._order: list[Viewer] = []
        self._round: Round | None = None  # None when it is to be made anew

    def __contains__(self, viewer: Viewer) -> bool:
        return viewer in self._marks

    def add(self, viewer: Viewer) -> None:
        """Take in a viewer that has nothing under way."""
        self._marks[viewer] = (self._frames, self._bytes)
        self._round = None

    def remove(self, viewer: Viewer) -> None:
        """Let a viewer go, with its counters settled; harmless if it is not here."""
        viewer.sent, viewer.bytes_sent = self.counts(viewer)
        self._marks.pop(viewer, None)
        self._round = None

    def counts(self, viewer: Viewer) -> tuple[int, int]:
        """Return a viewer's frames and bytes sent, whether it is in the pack or not."""
        frames, bytes_ = self._marks.get(viewer, (self._frames, self._bytes))
        return viewer.sent + self._frames - frames, viewer.bytes_sent + self._bytes - bytes_

    def total(self, published: int) -> Account:
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
        return Account(
            sent=sent,
            skipped=count * published - base - sent,
            bytes=bytes_ + count * self._bytes,
        )

    def send(self, data: bytes) -> list[tuple[Viewer, int]]:
        """Send one frame to all; return those that did not take it whole, with what they took.

        They have left the pack, and the frame counts as begun for them. In place of a count
        there is the errno, negative, of a socket that is broken.
        """
        if self._round is None:
            self._order = list(self._marks)
            self._round = self._rounds(self._order)
        size = len(data)
        self._frames += 1  # before it is sent: who counts meanwhile has it as published already
        short = self._round.send(data)
        self._bytes += size
        behind = [
            (self._order[number], 0 if count == -errno.EAGAIN else count) for number, count in short
        ]
        for viewer, count in behind:
            self.remove(viewer)
            viewer.bytes_sent += max(count, 0) - size
        return behind
