"""One worker's hand-over: real sockets and lanes, other workers as the test says they are."""

from __future__ import annotations

import socket

from tests.rigs.worker_table import close, table
from tests.samples.viewer_states import STATES
from web_workers.counts.worker_counts import HANDED_OVER, Closed
from web_workers.handover.channel import Channel
from web_workers.handover.codec import viewer_fields
from web_workers.handover.lanes import create_lanes
from web_workers.handover.viewer_handover import ViewerHandover
from web_workers.handover.viewer_state import ViewerState
from web_workers.handover.worker_registry import Peer, WorkerRegistry, WorkerState
from web_workers.viewers.viewer import EVENTS, Viewer
from web_workers.wire.loop import StreamLoop
from web_workers.worker_table import WorkerTable

MS = 1_000_000


class Others(WorkerRegistry):
    """A registry whose other workers are made up; only its own row is in the memory."""

    def __init__(self, table: WorkerTable) -> None:
        super().__init__(table)
        self.others: list[Peer] = []
        self.told: list[WorkerState | int] = []
        """What was said of this worker: states, and how many viewers it has."""

    def peers(self) -> list[Peer]:
        return self.others

    def tell(self, state: WorkerState) -> None:
        self.told.append(state)
        super().tell(state)

    def has(self, viewers: int) -> None:
        self.told.append(viewers)
        super().has(viewers)


class ViewerHost:
    """The viewers of the worker under test; each views frames."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.viewers: list[Viewer] = []
        self.serves = True

    def all_viewers(self) -> list[Viewer]:
        return list(self.viewers)

    def frame_viewers(self) -> int:
        return len(self.viewers)

    def state_of(self, viewer: Viewer) -> ViewerState:
        return ViewerState(camera="front", states=False, **viewer_fields(viewer, 0))

    def moved_out(self, viewer: Viewer) -> None:
        viewer.let_go()
        self.viewers.remove(viewer)

    def move_in(self, sock: socket.socket, viewer_state: ViewerState, rest: bytes) -> bool:
        if not self.serves:
            sock.close()
            return False
        self.add(sock)
        return True

    def add(self, sock: socket.socket) -> None:
        viewer = Viewer(sock, peer="t", clock=self.bench.clock, on_close=self.bench.loop.remove)
        viewer.owner = self
        self.bench.loop.add(viewer.fileno(), EVENTS, viewer.on_event)
        self.viewers.append(viewer)

    def drained(self, viewer: Viewer) -> None:
        """It is of no matter here."""

    def left(self, viewer: Viewer, why: Closed) -> None:
        self.viewers.remove(viewer)


class Bench:
    def __init__(self) -> None:
        self.now = 10_000 * MS
        self.tick = 0  # how much later it is each time that somebody looks at the clock
        self.loop = StreamLoop(clock=self.clock)
        self.table = table()
        self.registry = Others(self.table)
        self.registry.enter(5)
        self.settled = 0
        self.channel = Channel(create_lanes())
        self.host = ViewerHost(self)
        self.clients: list[socket.socket] = []
        self.handover = ViewerHandover(
            host=self.host,
            channel=self.channel,
            registry=self.registry,
            age=5,
            loop=self.loop,
            moved=self.on_moved,
        )

    def on_moved(self) -> None:
        self.settled += 1

    def clock(self) -> int:
        self.now += self.tick
        return self.now

    def peer(self, age: int, viewers: int, state: WorkerState = WorkerState.SERVING) -> None:
        self.registry.others.append(Peer(1, age, state, viewers, self.now))

    def pair(self) -> socket.socket:
        ours, client = socket.socketpair()
        self.clients.append(client)
        return ours

    def have(self, viewers: int) -> None:
        for _ in range(viewers):
            self.host.add(self.pair())

    def wait(self, viewers: int) -> None:
        """Have so many viewers of other workers wait in the channel."""
        for _ in range(viewers):
            with self.pair() as ours:
                assert self.channel.put(STATES, ours.fileno(), None)

    def raw(self, data: bytes, fds: list[int]) -> None:
        socket.send_fds(self.channel._puts[0], [data], fds)

    def pass_ms(self, milliseconds: int) -> None:
        for _ in range(0, milliseconds, 10):
            self.now += 10 * MS
            self.registry.others = [
                peer._replace(seen_ns=self.now) for peer in self.registry.others
            ]
            self.handover.balance()
            self.loop.dispatch()

    def outcomes(self) -> dict[str, int]:
        return {
            key[1]: n
            for key, n in self.handover.worker_counts().counts.items()
            if key[0] == HANDED_OVER
        }

    def close(self) -> None:
        for viewer in self.host.all_viewers():
            viewer.close(Closed.ENDED)
        for each in (*self.clients, *self.channel._puts, *self.channel._takes):
            each.close()
        self.loop.close()
        close(self.table)
