"""A fan-out without a feed, with sockets whose room the test decides."""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Sequence

from framebus.frame import Frame

from web_workers.counts.worker_counts import Closed
from web_workers.feeds.fanout import Fanout
from web_workers.viewers.broadcast_send import Broadcast, SequentialBroadcast
from web_workers.viewers.rate_limiter import FrameRateLimiter
from web_workers.viewers.viewer import Viewer
from web_workers.wire.multipart import Picture, Style

MS = 1_000_000
LINEAGE = 77
PLENTY = 1 << 30


def picture(sequence: int, captured_ns: int) -> Picture:
    return Picture.of(
        Frame(
            jpeg=b"picture %d" % sequence,
            epoch=1,
            sequence=sequence,
            device_sequence=0,
            captured_ns=captured_ns,
            captured_utc_ns=captured_ns,
            published_ns=captured_ns,
            width=0,
            height=0,
        )
    )


class Watcher:
    """A viewer, and what it has been sent."""

    def __init__(
        self, bench: Bench, *, fps: float | None = None, style: Style = Style.PLAIN
    ) -> None:
        ours, self.theirs = socket.socketpair()
        self.viewer = Viewer(ours, peer="test", clock=bench.clock, on_close=lambda _: None)
        self.viewer.send = self.take
        self.viewer.style = style
        self.viewer.rate_limiter = FrameRateLimiter(fps) if fps else None
        self.got = b""
        self.room = PLENTY
        self.broken = 0

    def take(self, data: bytes | memoryview) -> int:
        if self.broken:
            raise OSError(self.broken, "broken")
        if not self.room:
            raise BlockingIOError(errno.EAGAIN, "no room")
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.got += taken
        return len(taken)

    def make_room(self) -> None:
        self.room = PLENTY
        self.viewer.on_event(select.EPOLLOUT)

    def news(self) -> bytes:
        got, self.got = self.got, b""
        return got


class Bench:
    def __init__(self) -> None:
        self.now = 1000 * MS
        self.members: list[list[Viewer]] = []  # of each round that was made
        self.empty = 0
        self.watchers: list[Watcher] = []
        self.fanout = self.another()

    def another(self) -> Fanout:
        return Fanout(
            "camera",
            clock=self.clock,
            on_empty=self.emptied,
            broadcast_factory=self.broadcast_factory,
        )

    def clock(self) -> int:
        return self.now

    def emptied(self) -> None:
        self.empty += 1

    def broadcast_factory(self, viewers: Sequence[Viewer]) -> Broadcast:
        self.members.append(list(viewers))
        return SequentialBroadcast(viewers)

    def watcher(self, *, fps: float | None = None, style: Style = Style.PLAIN) -> Watcher:
        self.watchers.append(Watcher(self, fps=fps, style=style))
        return self.watchers[-1]

    def join(self, first: Picture | None = None, *, fps: float | None = None) -> Watcher:
        watcher = self.watcher(fps=fps)
        self.fanout.join(watcher.viewer, b"", first)
        watcher.news()
        return watcher

    def deliver(self, sequence: int, interval_ns: int = 40 * MS) -> Picture:
        self.now += 40 * MS
        newest = picture(sequence, self.now)
        self.fanout.deliver(newest, published=sequence, interval_ns=interval_ns, lineage=LINEAGE)
        return newest

    def close(self) -> None:
        for watcher in self.watchers:
            watcher.viewer.close(Closed.ENDED)
            watcher.theirs.close()
