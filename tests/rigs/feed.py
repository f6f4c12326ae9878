"""A feed over a real ring, with a clock that the test moves and pictures painted at once."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from tests.helpers.multipart import Parser, Part
from tests.rigs.bus import Bus
from web_workers.feeds.feed import Feed
from web_workers.feeds.notice import Notice
from web_workers.viewers.rate_limiter import FrameRateLimiter
from web_workers.viewers.viewer import EVENTS, Viewer
from web_workers.wire.loop import StreamLoop
from web_workers.wire.multipart import Style

MS = 1_000_000
FRAME_MS = 40  # at 25 fps


class Client:
    """The other end of a viewer."""

    def __init__(self, bench: Bench, style: Style = Style.PLAIN, fps: float | None = None) -> None:
        ours, self.socket = socket.socketpair()
        self.socket.setblocking(False)
        self.parser = Parser()
        self.viewer = Viewer(ours, peer="test", clock=bench.clock, on_close=bench.loop.remove)
        self.viewer.style = style
        self.viewer.rate_limiter = FrameRateLimiter(fps) if fps else None
        bench.loop.add(self.viewer.fileno(), EVENTS, self.viewer.on_event)
        bench.feed.join(self.viewer, b"")

    def raw(self) -> bytes:
        data = b""
        while True:
            try:
                got = self.socket.recv(1 << 20)
            except BlockingIOError:
                return data
            if not got:
                return data
            data += got

    def parts(self) -> list[Part]:
        return self.parser.feed(self.raw())


class Bench:
    def __init__(self, runtime: Path) -> None:
        self.now = 10_000 * MS
        self.runtime = runtime
        self.bus: Bus | None = Bus(runtime, fps=25)
        self.loop = StreamLoop(clock=self.clock)
        self.notices: list[Notice] = []
        names = self.bus.names
        self.feed = Feed(names=names, loop=self.loop, paint=self.paint)
        self.clients: list[Client] = []

    def clock(self) -> int:
        return self.now

    def paint(self, notice: Notice, done: Callable[[bytes], None]) -> None:
        self.notices.append(notice)
        done(b"painted")

    def client(self, style: Style = Style.PLAIN, fps: float | None = None) -> Client:
        self.clients.append(Client(self, style, fps))
        return self.clients[-1]

    def publish(self, data: bytes = b"picture", age_ms: int = 0) -> int:
        """Publish without a hint: the feed must find it by the cursor."""
        assert self.bus is not None
        self.now += MS  # no two frames are of one moment
        captured_ns = self.now - age_ms * MS
        writer = self.bus.writer
        writer.publish(data, captured_ns=captured_ns, captured_utc_ns=captured_ns)
        return writer.cursor

    def pass_ms(self, milliseconds: int) -> None:
        for _ in range(milliseconds // 10):
            self.now += 10 * MS
            self.loop.dispatch()

    def restart(self) -> None:
        assert self.bus is not None
        self.bus.close()
        self.bus = Bus(self.runtime, fps=25)

    def close(self) -> None:
        self.feed.close()
        for client in self.clients:
            client.socket.close()
        self.loop.close()
        if self.bus is not None:
            self.bus.close()
