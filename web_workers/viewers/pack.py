"""The viewers that keep up: each frame goes to all of them in the tightest loop there is.

Between two sends to two viewers the kernel has copied a frame, and Python's data are no longer in
the processor's caches; so what a viewer costs is the memory that is touched for it. Here that is
its bound `send` and nothing else. What all of the pack have in common (frames, bytes) is counted
once for all, and settled with a viewer when it leaves the pack.

Runs in the worker's main thread; `counts` may be called from others.
"""

from __future__ import annotations

import errno

from web_workers.viewers.viewer import Send, Viewer


class Pack:
    """Viewers that take every frame and have nothing under way."""

    def __init__(self) -> None:
        self._frames = 0  # sent to those who were in the pack from its beginning
        self._bytes = 0
        self._marks: dict[Viewer, tuple[int, int]] = {}  # what those were when a viewer came in
        self._order: list[Viewer] | None = None  # None when it is to be made anew
        self._sends: list[Send] = []

    def __contains__(self, viewer: Viewer) -> bool:
        return viewer in self._marks

    def add(self, viewer: Viewer) -> None:
        """Take in a viewer that has nothing under way."""
        self._marks[viewer] = (self._frames, self._bytes)
        self._order = None

    def remove(self, viewer: Viewer) -> None:
        """Let a viewer go, with its counters settled; harmless if it is not here."""
        viewer.sent, viewer.bytes_sent = self.counts(viewer)
        self._marks.pop(viewer, None)
        self._order = None

    def counts(self, viewer: Viewer) -> tuple[int, int]:
        """Return a viewer's frames and bytes sent, whether it is in the pack or not."""
        frames, bytes_ = self._marks.get(viewer, (self._frames, self._bytes))
        return viewer.sent + self._frames - frames, viewer.bytes_sent + self._bytes - bytes_

    def send(self, data: bytes) -> list[tuple[Viewer, int]]:
        """Send one frame to all; return those that did not take it whole, with what they took.

        They have left the pack, and the frame counts as begun for them. In place of a count
        there is the errno, negative, of a socket that is broken.
        """
        if self._order is None:
            self._order = list(self._marks)
            self._sends = [viewer.send for viewer in self._order]
        counts = _send_all(self._sends, data)
        size = len(data)
        self._frames += 1
        self._bytes += size
        if counts.count(size) == len(counts):
            return []
        behind = [pair for pair in zip(self._order, counts, strict=True) if pair[1] != size]
        for viewer, count in behind:
            self.remove(viewer)
            viewer.bytes_sent += max(count, 0) - size
        return behind


def _send_all(sends: list[Send], data: bytes) -> list[int]:
    """Call each of `sends`; return what each took, in order. The hot loop."""
    counts: list[int] = []
    append = counts.append
    rest = iter(sends)
    while True:
        try:
            for send in rest:
                append(send(data))
        except BlockingIOError:
            append(0)
        except OSError as error:
            append(-(error.errno or errno.EIO))
        else:
            return counts
