"""A reader's lease of demand, over the real server of a control socket, with time passed in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from framebus.demand import LEASE_S, DemandLease
from framebus.ring.reader import RingReader

from tests.rigs.bus import Bus
from tests.rigs.idle_daemon import DEMAND, IDLE, IdleDaemon

S = 1_000_000_000


class Bench:
    def __init__(self, runtime: Path) -> None:
        self.now = 100 * S
        self.bus = Bus(runtime)
        self.daemon = IdleDaemon(self.bus)
        self.ring = RingReader.attach(self.bus.names, stays=True)
        self.lease = DemandLease(self.bus.names, lambda: self.now)

    def renew(self, after_s: float = 0.0) -> int:
        """Let time pass, renew, have the daemon take it; return how often it was woken so far."""
        self.now += round(after_s * S)
        self.lease.renew(self.ring)
        self.daemon.step()
        return len(self.daemon.wakes)

    def close(self) -> None:
        self.lease.close()
        self.ring.close()
        self.daemon.server.close()
        self.bus.close()


@pytest.fixture
def bench(runtime: Path) -> Iterator[Bench]:
    with closing(Bench(runtime)) as bench:
        yield bench


def test_the_daemon_is_told_at_once_and_then_every_five_seconds(bench: Bench) -> None:
    assert bench.renew() == 1
    (user, told), *_ = bench.daemon.wakes
    assert (user, told["seconds"]) == (os.geteuid(), LEASE_S)
    assert [bench.renew(1.0) for _ in range(10)] == [1, 1, 1, 1, 2, 2, 2, 2, 2, 3]
    assert len({str(params) for _, params in bench.daemon.wakes}) == 1, "it is one lease"
    assert (bench.daemon.server.answered, dict(bench.daemon.server.dropped)) == (3, {})


def test_nothing_is_sent_to_a_daemon_that_does_not_rest(bench: Bench) -> None:
    bench.bus.tell("streaming")
    assert [bench.renew(1.0) for _ in range(20)] == [0] * 20
    assert not bench.lease.matters


def test_a_new_daemon_hears_of_it_within_a_second(bench: Bench) -> None:
    assert bench.renew() == 1
    bench.daemon.server.close()
    bench.now += round(0.6 * S)
    bench.lease.renew(bench.ring)
    bench.daemon.listen()
    assert bench.renew(0.6) == 2


def test_a_new_daemons_word_counts_for_whether_it_rests(bench: Bench, runtime: Path) -> None:
    bench.bus.tell("streaming")
    assert bench.renew() == 0
    bench.bus.close()
    bench.bus = Bus(runtime)
    bench.bus.tell("idle", IDLE, demand=DEMAND)
    bench.ring.close()
    bench.ring = RingReader.attach(bench.bus.names, stays=True)
    assert bench.renew(1.0) == 1


def test_parent_and_child_have_a_lease_each(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.renew() == 1
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    assert bench.renew(1.0) == 2
    first, second = (params["lease"] for _, params in bench.daemon.wakes)
    assert first != second


def test_a_socket_that_is_not_there_or_takes_nothing_stops_nobody(bench: Bench) -> None:
    bench.daemon.server.close()
    for _ in range(3):
        bench.now += 1 * S
        bench.lease.renew(bench.ring)
    bench.daemon.listen()
    for _ in range(5000):  # a daemon that hangs reads nothing
        bench.now += 6 * S
        bench.lease.renew(bench.ring)
    bench.daemon.step()
    assert bench.daemon.wakes


def test_who_closes_wants_frames_no_longer_and_may_again(bench: Bench) -> None:
    assert bench.renew() == 1
    bench.lease.close()
    bench.daemon.step()
    assert bench.renew() == 2
