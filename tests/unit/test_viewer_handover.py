"""Hand-over as one worker sees it: what it takes, gives and loses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.rigs.viewer_handover import MS, Bench
from tests.samples.viewer_states import STATES
from web_workers.handover.viewer_handover import BALANCE_EVERY_NS, LEAVE_WITHIN_NS, PATIENCE_NS
from web_workers.handover.viewer_state import SIZE
from web_workers.handover.worker_registry import Peer, WorkerState


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_a_worker_takes_its_share_and_others_have_time_to_take_theirs(bench: Bench) -> None:
    bench.peer(6, 0, WorkerState.BOOTING)
    bench.handover.open()
    bench.wait(40)
    bench.pass_ms(PATIENCE_NS // MS - 50)
    assert (len(bench.host.viewers), bench.channel.waiting()) == (20, 20)
    bench.pass_ms(150)
    assert (len(bench.host.viewers), bench.channel.waiting()) == (40, 0)
    assert bench.outcomes() == {"done": 40}
    assert bench.settled


def test_what_waited_before_the_worker_was_there_is_taken(bench: Bench) -> None:
    bench.wait(3)
    bench.handover.open()
    bench.pass_ms(20)
    assert len(bench.host.viewers) == 3


def test_garbage_and_other_versions_are_counted_and_the_worker_lives(bench: Bench) -> None:
    bench.handover.open()
    with bench.pair() as ours:
        bench.raw(bytes(SIZE), [ours.fileno()])
        bench.raw(STATES.encoded().replace(b'"v":1', b'"v":2'), [ours.fileno()])
    bench.wait(1)
    bench.pass_ms(20)
    assert bench.outcomes() == {"unreadable": 1, "other-version": 1, "done": 1}
    assert bench.registry.lost() == 2
    assert bench.clients[0].recv(1) == b""  # what came with it is closed


def test_a_viewer_that_cannot_be_served_is_counted(bench: Bench) -> None:
    bench.host.serves = False
    bench.handover.open()
    bench.wait(1)
    bench.pass_ms(20)
    assert bench.outcomes() == {"not-served": 1}


def test_a_worker_that_ends_serves_on_until_the_younger_ones_are_up(bench: Bench) -> None:
    bench.have(50)
    bench.handover.open()
    bench.table.started(6)
    bench.handover.leave()
    bench.handover.leave()  # twice is harmless
    bench.pass_ms(500)
    assert len(bench.host.viewers) == 50
    bench.peer(6, 0)
    bench.pass_ms(100)
    assert bench.handover.empty
    assert bench.channel.waiting() == 50


def test_a_worker_that_ends_takes_nobody(bench: Bench) -> None:
    bench.handover.open()
    bench.handover.leave()
    bench.wait(1)
    bench.pass_ms(1000)
    assert bench.channel.waiting() == 1


def test_what_does_not_fit_is_served_on_until_a_peer_has_taken_some(bench: Bench) -> None:
    for put in bench.channel._puts:
        put.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel's least: some messages
    bench.have(100)
    bench.handover.open()
    bench.handover.leave()
    bench.pass_ms(100)
    fit = bench.channel.waiting()
    assert 0 < fit < 100
    assert len(bench.host.viewers) == 100 - fit
    taken = [bench.channel.take() for _ in range(fit)]
    bench.pass_ms(100)
    assert bench.channel.waiting() > 0
    assert bench.outcomes() == {}
    left = len(bench.host.viewers)
    bench.pass_ms(LEAVE_WITHIN_NS // MS)
    assert bench.handover.empty
    assert bench.outcomes() == {"no-room": left}
    assert bench.registry.lost() == 1  # a page asks again once, for however many
    for arrival in taken:
        assert arrival is not None
        arrival.sock.close()


def test_a_worker_that_had_no_turn_until_its_time_is_up_gives_all_it_has(bench: Bench) -> None:
    bench.have(100)
    bench.handover.open()
    bench.table.started(6)
    bench.handover.leave()
    bench.now += LEAVE_WITHIN_NS
    bench.loop.dispatch()
    assert bench.handover.empty
    assert bench.channel.waiting() == 100
    assert bench.outcomes() == {}


def test_a_document_that_is_too_long_costs_one_viewer(bench: Bench) -> None:
    bench.have(2)
    bench.host.viewers[0].peer = "p" * SIZE
    bench.handover.open()
    bench.handover.leave()
    bench.pass_ms(100)
    assert bench.handover.empty
    assert bench.outcomes() == {"failed": 1}
    assert bench.channel.waiting() == 1


def test_a_worker_with_far_too_many_gives_some_to_one_that_is_well(bench: Bench) -> None:
    bench.have(40)
    bench.peer(6, 0)
    bench.handover.open()
    assert (len(bench.host.viewers), bench.channel.waiting()) == (20, 20)


def test_nobody_is_given_to_a_worker_that_stands_still_or_is_not_up(bench: Bench) -> None:
    bench.have(40)
    bench.peer(6, 0, WorkerState.BOOTING)
    bench.registry.others.append(Peer(1, 7, WorkerState.SERVING, 0, bench.now - 5_000 * MS))
    bench.handover.open()
    assert len(bench.host.viewers) == 40


def test_what_was_given_in_vain_is_taken_back_and_not_given_again_soon(bench: Bench) -> None:
    bench.have(40)
    bench.peer(6, 0)
    bench.handover.open()
    bench.pass_ms(5 * BALANCE_EVERY_NS // MS)  # the other one takes nobody
    assert bench.channel.waiting() == 0
    assert len(bench.host.viewers) == 40
    assert bench.outcomes() == {"done": 20}


def test_a_worker_that_is_cut_off_has_lost_its_viewers_and_an_empty_one_nobody(
    bench: Bench,
) -> None:
    bench.handover.close()
    assert bench.registry.lost() == 0
    bench.have(3)
    bench.handover.close()
    assert bench.registry.lost() == 1


def test_the_rest_of_a_part_goes_along(bench: Bench) -> None:
    bench.have(1)
    bench.host.viewers[0].rest = memoryview(b"what is left")
    bench.handover.open()
    bench.handover.leave()
    bench.pass_ms(50)
    arrival = bench.channel.take()
    assert arrival is not None
    arrival.sock.close()
    assert arrival.rest == b"what is left"
    assert arrival.viewer_state == replace(arrival.viewer_state, camera="front", rest=12)
