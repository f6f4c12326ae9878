"""How a frame is handed to all viewers that keep up: one after another, or all at once.

A round is made for certain viewers and used for one frame after another, until it is others who
keep up. Both kinds hand over the same and tell the same of it (tests/contract/test_rounds.py).
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


class Round(Protocol):
    """The sends of one frame to certain viewers."""

    def send(self, data: bytes) -> list[int]:
        """Send to each; return what each took, in order: bytes, or the negative errno.

        -EAGAIN is that of a socket without room.
        """


Rounds = Callable[[Sequence[Viewer]], Round]
"""Makes a round for viewers, whose sockets must stay open as long as it is used."""


class OneByOne:
    """A system call for each viewer.

    Between two of them the kernel has copied a frame, and Python's data are no longer in the
    processor's caches; so what a viewer costs is the memory that is touched for it. Here that is
    its bound `send` and nothing else.
    """

    def __init__(self, viewers: Sequence[Viewer]) -> None:
        self._sends = [viewer.send for viewer in viewers]

    def send(self, data: bytes) -> list[int]:
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
                return counts


class AtOnce:
    """A system call for all of them (wire/uring.py)."""

    def __init__(self, viewers: Sequence[Viewer], uring: Uring) -> None:
        self._viewers = viewers
        self._uring = uring
        self._sends = Sends([viewer.fileno() for viewer in viewers])

    def send(self, data: bytes) -> list[int]:
        """Send to all, and one by one to those whom the kernel left out."""
        taken = self._uring.send_all(self._sends, data)
        if len(taken) < len(self._viewers):
            taken += OneByOne(self._viewers[len(taken) :]).send(data)
        return taken


def open_uring(*, wanted: bool) -> Uring | None:
    """Return the kernel's queues, if they are wanted and there are any."""
    if not wanted:
        return None
    try:
        return Uring()
    except OSError as error:
        log.info("frames go out one by one, which costs a little more: io_uring: %s", error)
        return None


def rounds(uring: Uring | None, *, fewest: int = FEWEST) -> Rounds:
    """Return what makes rounds: all at once for `fewest` viewers or more, if `uring` is given."""
    if uring is None:
        return OneByOne

    def suited(viewers: Sequence[Viewer]) -> Round:
        return AtOnce(viewers, uring) if len(viewers) >= fewest else OneByOne(viewers)

    return suited
