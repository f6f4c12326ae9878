"""The porter of one worker: real sockets and lanes, other workers as the test says they are."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.unit.test_handover_carried import STATES
from web_workers.counts.scores import HANDED_OVER, Closed
from web_workers.handover.carried import SIZE, Carried
from web_workers.handover.channel import Channel, create_lanes
from web_workers.handover.luggage import packed_by
from web_workers.handover.porter import BALANCE_EVERY_NS, LEAVE_WITHIN_NS, PATIENCE_NS, Porter
from web_workers.handover.roster import Peer, Roster, State, create_memory
from web_workers.viewers.viewer import EVENTS, Viewer
from web_workers.wire.loop import StreamLoop

MS = 1_000_000


class Others(Roster):
    """A roster whose other workers are made up; only its own row is in the memory."""

    others: list[Peer]

    def peers(self) -> list[Peer]:
        return self.others


class House:
    """The viewers of the worker under test; each views frames."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.viewers: list[Viewer] = []
        self.settled = 0
        self.serves = True

    def residents(self) -> list[Viewer]:
        return list(self.viewers)

    def frame_viewers(self) -> int:
        return len(self.viewers)

    def carried(self, viewer: Viewer) -> Carried:
        return Carried(camera="front", states=False, **packed_by(viewer, 0))

    def moved_out(self, viewer: Viewer) -> None:
        viewer.let_go()
        self.viewers.remove(viewer)

    def move_in(self, sock: socket.socket, carried: Carried, rest: bytes) -> bool:
        if not self.serves:
            sock.close()
            return False
        self.add(sock)
        return True

    def settle(self) -> None:
        self.settled += 1

    def add(self, sock: socket.socket) -> None:
        viewer = Viewer(sock, peer="t", clock=self.bench.clock, on_close=self.bench.loop.remove)
        viewer.belong(self)
        self.bench.loop.add(viewer.fileno(), EVENTS, viewer.on_event)
        self.viewers.append(viewer)

    def drained(self, viewer: Viewer) -> None:
        """It is of no matter here."""

    def left(self, viewer: Viewer, why: Closed) -> None:
        self.viewers.remove(viewer)


class Bench:
    def __init__(self) -> None:
        self.now = 10_000 * MS
        self.loop = StreamLoop(clock=self.clock)
        self.memory = create_memory()
        self.roster = Others(self.memory)
        self.roster.others = []
        self.channel = Channel(create_lanes())
        self.house = House(self)
        self.clients: list[socket.socket] = []
        self.porter = Porter(
            house=self.house, channel=self.channel, roster=self.roster, age=5, loop=self.loop
        )

    def clock(self) -> int:
        return self.now

    def peer(self, age: int, viewers: int, state: State = State.SERVING) -> None:
        self.roster.others.append(Peer(1, age, state, viewers, self.now))

    def pair(self) -> socket.socket:
        ours, client = socket.socketpair()
        self.clients.append(client)
        return ours

    def have(self, viewers: int) -> None:
        for _ in range(viewers):
            self.house.add(self.pair())

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
            self.roster.others = [peer._replace(seen_ns=self.now) for peer in self.roster.others]
            self.loop.dispatch()

    def outcomes(self) -> dict[str, int]:
        return {
            key[1]: n for key, n in self.porter.scores().counts.items() if key[0] == HANDED_OVER
        }

    def close(self) -> None:
        for viewer in self.house.residents():
            viewer.close(Closed.ENDED)
        for each in (*self.clients, *self.channel._puts, *self.channel._takes):
            each.close()
        self.loop.close()
        os.close(self.memory)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_a_worker_takes_its_share_and_others_have_time_to_take_theirs(bench: Bench) -> None:
    bench.peer(6, 0, State.BOOTING)
    bench.porter.open()
    bench.wait(40)
    bench.pass_ms(PATIENCE_NS // MS - 50)
    assert (len(bench.house.viewers), bench.channel.waiting()) == (20, 20)
    bench.pass_ms(150)
    assert (len(bench.house.viewers), bench.channel.waiting()) == (40, 0)
    assert bench.outcomes() == {"done": 40}
    assert bench.house.settled


def test_what_waited_before_the_worker_was_there_is_taken(bench: Bench) -> None:
    bench.wait(3)
    bench.porter.open()
    bench.pass_ms(20)
    assert len(bench.house.viewers) == 3


def test_garbage_and_other_versions_are_counted_and_the_worker_lives(bench: Bench) -> None:
    bench.porter.open()
    with bench.pair() as ours:
        bench.raw(bytes(SIZE), [ours.fileno()])
        bench.raw(STATES.packed().replace(b'"v":1', b'"v":2'), [ours.fileno()])
    bench.wait(1)
    bench.pass_ms(20)
    assert bench.outcomes() == {"unreadable": 1, "other-version": 1, "done": 1}
    assert bench.porter.lost() == 2
    assert bench.clients[0].recv(1) == b""  # what came with it is closed


def test_a_viewer_that_cannot_be_served_is_counted(bench: Bench) -> None:
    bench.house.serves = False
    bench.porter.open()
    bench.wait(1)
    bench.pass_ms(20)
    assert bench.outcomes() == {"not-served": 1}


def test_a_worker_that_ends_serves_on_until_the_younger_ones_are_up(bench: Bench) -> None:
    bench.have(50)
    bench.porter.open()
    bench.roster.started(6)
    bench.porter.leave()
    bench.porter.leave()  # twice is harmless
    bench.pass_ms(500)
    assert len(bench.house.viewers) == 50
    bench.peer(6, 0)
    bench.pass_ms(100)
    assert bench.porter.empty
    assert bench.channel.waiting() == 50


def test_a_worker_that_ends_takes_nobody(bench: Bench) -> None:
    bench.porter.open()
    bench.porter.leave()
    bench.wait(1)
    bench.pass_ms(1000)
    assert bench.channel.waiting() == 1


def test_what_does_not_fit_is_served_on_until_a_peer_has_taken_some(bench: Bench) -> None:
    for put in bench.channel._puts:
        put.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel's least: some messages
    bench.have(100)
    bench.porter.open()
    bench.porter.leave()
    bench.pass_ms(100)
    fit = bench.channel.waiting()
    assert 0 < fit < 100
    assert len(bench.house.viewers) == 100 - fit
    taken = [bench.channel.take() for _ in range(fit)]
    bench.pass_ms(100)
    assert bench.channel.waiting() > 0
    assert bench.outcomes() == {}
    left = len(bench.house.viewers)
    bench.pass_ms(LEAVE_WITHIN_NS // MS)
    assert bench.porter.empty
    assert bench.outcomes() == {"no-room": left}
    assert bench.porter.lost() == 1  # a page asks again once, for however many
    for arrival in taken:
        assert arrival is not None
        arrival.sock.close()


def test_a_worker_that_had_no_turn_until_its_time_is_up_gives_all_it_has(bench: Bench) -> None:
    bench.have(100)
    bench.porter.open()
    bench.roster.started(6)
    bench.porter.leave()
    bench.now += LEAVE_WITHIN_NS
    bench.loop.dispatch()
    assert bench.porter.empty
    assert bench.channel.waiting() == 100
    assert bench.outcomes() == {}


def test_a_document_that_is_too_long_costs_one_viewer(bench: Bench) -> None:
    bench.have(2)
    bench.house.viewers[0].peer = "p" * SIZE
    bench.porter.open()
    bench.porter.leave()
    bench.pass_ms(100)
    assert bench.porter.empty
    assert bench.outcomes() == {"failed": 1}
    assert bench.channel.waiting() == 1


def test_a_worker_with_far_too_many_gives_some_to_one_that_is_well(bench: Bench) -> None:
    bench.have(40)
    bench.peer(6, 0)
    bench.porter.open()
    assert (len(bench.house.viewers), bench.channel.waiting()) == (20, 20)


def test_nobody_is_given_to_a_worker_that_stands_still_or_is_not_up(bench: Bench) -> None:
    bench.have(40)
    bench.peer(6, 0, State.BOOTING)
    bench.roster.others.append(Peer(1, 7, State.SERVING, 0, bench.now - 5_000 * MS))
    bench.porter.open()
    assert len(bench.house.viewers) == 40


def test_what_was_given_in_vain_is_taken_back_and_not_given_again_soon(bench: Bench) -> None:
    bench.have(40)
    bench.peer(6, 0)
    bench.porter.open()
    bench.pass_ms(5 * BALANCE_EVERY_NS // MS)  # the other one takes nobody
    assert bench.channel.waiting() == 0
    assert len(bench.house.viewers) == 40
    assert bench.outcomes() == {"done": 20}


def test_a_worker_that_is_cut_off_has_lost_its_viewers_and_an_empty_one_nobody(
    bench: Bench,
) -> None:
    bench.porter.close()
    assert bench.porter.lost() == 0
    bench.have(3)
    bench.porter.close()
    assert bench.porter.lost() == 1


def test_the_rest_of_a_part_goes_along(bench: Bench) -> None:
    bench.have(1)
    bench.house.viewers[0].rest = memoryview(b"what is left")
    bench.porter.open()
    bench.porter.leave()
    bench.pass_ms(50)
    arrival = bench.channel.take()
    assert arrival is not None
    arrival.sock.close()
    assert arrival.rest == b"what is left"
    assert arrival.carried == replace(arrival.carried, camera="front", rest=12)
