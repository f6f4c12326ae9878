"""How a frame is handed to all viewers that keep up: one after another, or all at once.

A broadcast is made for certain viewers and used for one frame after another, until it is others who
keep up. Both kinds hand over the same and tell the same of it
(tests/contract/test_broadcast_send.py).
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from web_workers.viewers.viewer import Viewer
from web_workers.wire.uring import Sends, Uring

log = logging.getLogger("gunicorn.error")

FEWEST = 32
"""With fewer viewers a loop is as cheap: docs/performance.md."""


class Broadcast(Protocol):
    """The sends of one frame to certain viewers."""

    def send(self, data: bytes) -> list[tuple[int, int]]:
        """Send to each; return those who did not take it whole, in order.

        Each with its number and the bytes it took, or the negative errno: -EAGAIN is that of a
        socket without room.
        """


BroadcastFactory = Callable[[Sequence[Viewer]], Broadcast]
"""Makes a broadcast to viewers, whose sockets must stay open as long as it is used."""


class SequentialBroadcast:
    """A system call for each viewer.

    Between two of them the kernel has copied a frame, and Python's data are no longer in the
    processor's caches; so what a viewer costs is the memory that is touched for it. Here that is
    its bound `send` and nothing else.
    """

    def __init__(self, viewers: Sequence[Viewer]) -> None:
        self._sends = [viewer.send for viewer in viewers]

    def send(self, data: bytes) -> list[tuple[int, int]]:
        """Send to one after another."""
        counts: list[int] = []
        append = counts.append
        rest = iter(self._sends)
        while True:
            try:
                for send in rest:
                    append(send(data))
            except OSError as error:
                append(-(error.errno or errno.EIO))
            else:
                break
        size = len(data)
        if counts.count(size) == len(counts):
            return []
        return [(number, count) for number, count in enumerate(counts) if count != size]


class UringBroadcast:
    """A system call for all of them, or for as many as there are queues for (wire/uring.py)."""

    def __init__(self, viewers: Sequence[Viewer], uring: Uring) -> None:
        self._viewers = viewers
        self._uring = uring
        descriptors, most = [viewer.fileno() for viewer in viewers], uring.entries
        self._sends = [
            Sends(descriptors[start : start + most], first=start)
            for start in range(0, len(viewers), most)
        ]

    def send(self, data: bytes) -> list[tuple[int, int]]:
        """Send to all, and one by one to those whom the kernel left out."""
        done = 0
        short: list[tuple[int, int]] = []
        for sends in self._sends:
            sent, less = self._uring.send_all(sends, data)
            done += sent
            short += less
            if sent < sends.count:
                rest = SequentialBroadcast(self._viewers[done:]).send(data)
                return short + [(done + number, took) for number, took in rest]
        return short


def open_uring(*, wanted: bool) -> Uring | None:
    """Return the kernel's queues, if they are wanted and there are any."""
    if not wanted:
        return None
    try:
        return Uring()
    except OSError as error:
        log.info("frames go out one by one, which costs a little more: io_uring: %s", error)
        return None


def broadcast_factory(uring: Uring | None, *, fewest: int = FEWEST) -> BroadcastFactory:
    """Return what makes broadcasts: at once to `fewest` viewers or more, if `uring` is given."""
    if uring is None:
        return SequentialBroadcast

    def suited(viewers: Sequence[Viewer]) -> Broadcast:
        return (
            UringBroadcast(viewers, uring)
            if len(viewers) >= fewest
            else SequentialBroadcast(viewers)
        )

    return suited
