"""A feed over a real ring with its hints, in a loop by a real clock, with the pump or without."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from framebus.frame import FrameFlags

from tests.helpers.multipart import Parser, Part
from tests.helpers.waiting import until
from tests.rigs.bus import Bus
from web_workers.counts.tally import Delivery
from web_workers.counts.worker_counts import AGE, CLOSED
from web_workers.feeds.feed import Feed, silence_ns
from web_workers.feeds.notice import Notice
from web_workers.feeds.pumping import Pumping
from web_workers.native.library import Pump
from web_workers.viewers.viewer import EVENTS, Viewer
from web_workers.wire.loop import StreamLoop

SLICE_S = 0.005


@contextmanager
def patience() -> Iterator[None]:
    """No feed looks for frames that nobody told of, in this time, once it has had one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web_workers.feeds.feed.silence_s", lambda _interval_ns: 3600.0)
        silence_ns.cache_clear()
        yield
    silence_ns.cache_clear()


class CountingPump(Pump):
    """Knows how many frames it has pumped."""

    pumped = 0

    def run(self) -> list[tuple[int, int]]:
        ready = super().run()
        self.pumped += self.state.pumped
        return ready


class Client:
    """The other end of a viewer."""

    def __init__(self, bench: Bench, *, send_buffer: int = 0) -> None:
        ours, self.socket = socket.socketpair()
        self.socket.setblocking(False)
        self.viewer = Viewer(ours, peer="test", clock=bench.loop.clock, on_close=bench.loop.remove)
        if send_buffer:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        bench.loop.add(self.viewer.fileno(), EVENTS, self.viewer.on_event)
        bench.feed.join(self.viewer, b"")
        self.parser = Parser()
        self.parts: list[Part] = []

    def read(self) -> list[Part]:
        """All parts that have come by now."""
        try:
            while data := self.socket.recv(1 << 20):
                self.parts += self.parser.feed(data)
        except (BlockingIOError, ConnectionError):
            pass
        return self.parts


class Bench:
    """One frame a second is due, so that nothing is shown for want of one."""

    def __init__(self, runtime: Path, pump: CountingPump | None) -> None:
        self.bus = Bus(runtime, fps=1)
        self.loop = StreamLoop()
        self.pump = pump
        self.feed = Feed(names=self.bus.names, loop=self.loop, paint=self.paint)
        if pump is not None:
            self.loop.pump = Pumping(pump, loop=self.loop, awake=self.awake)
        self.clients: list[Client] = []

    def awake(self) -> list[Feed]:
        return [self.feed] if self.feed.awake else []

    def paint(self, _notice: Notice, done: Callable[[bytes], None]) -> None:
        done(b"painted")

    def clients_in_step(self, count: int = 1, *, send_buffer: int = 0) -> list[Client]:
        """So many new clients, and all is usual: each has had a frame by its hint."""
        made = [Client(self, send_buffer=send_buffer) for _ in range(count)]
        self.clients += made

        def heard() -> bool:
            self.publish(b"usual")
            follower = self.feed.usual()
            return follower is not None and follower.hints is not None and self.pumping

        self.until(heard)
        if self.pump is not None:
            self.pump.pumped = 0
        for client in self.clients:
            client.read()
            client.parts.clear()
        return made

    @property
    def pumping(self) -> bool:
        """Whether frames are pumped, if they are to be."""
        return self.pump is None or self.pump.pumped > 0

    def publish(self, data: bytes, flags: FrameFlags = FrameFlags.NONE) -> int:
        """Publish a frame and have it heard of, and whatever follows of that done."""
        sequence = self.bus.publish(data, flags=flags)
        self.until(lambda: self.taken >= sequence)
        return sequence

    @property
    def taken(self) -> int:
        """The sequence up to which frames are accounted for."""
        follower = self.feed._follower
        return follower.last[0] if follower is not None else 0

    def turn(self) -> None:
        """Have all that is ready served, once."""
        if self.loop.pump is None or not self.loop.pump(self.loop.clock() + 1_000_000):
            self.loop.dispatch()

    def until(self, right: Callable[[], bool]) -> None:
        def tried() -> bool:
            self.loop.run(SLICE_S)
            return right()

        until(tried)

    def delivery(self, client: Client) -> Delivery:
        return self.feed.fanout.delivery(client.viewer)

    def closed(self) -> Counter[str]:
        """Why viewers are no longer there."""
        counts = self.feed.fanout.worker_counts().counts
        return Counter({key[-1]: n for key, n in counts.items() if key[0] == CLOSED})

    def aged(self) -> int:
        """How many frames have been counted by their age."""
        counts = self.feed.fanout.worker_counts().counts
        return sum(number for key, number in counts.items() if key[0] == AGE)

    def close(self) -> None:
        self.feed.close()
        for client in self.clients:
            client.socket.close()
        self.loop.close()
        self.bus.close()
