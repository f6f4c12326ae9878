"""A feed of a camera that rests: it wakes it, and shows nothing in its stead for a while."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.locks import lock_held
from tests.rigs.feed import Bench
from tests.rigs.idle_daemon import IDLE, OPENING, IdleDaemon
from web_workers.counts.worker_counts import Closed


class Idle(Bench):
    def __init__(self, runtime: Path) -> None:
        super().__init__(runtime)
        assert self.bus is not None
        self.daemon = IdleDaemon(self.bus)

    def close(self) -> None:
        super().close()
        self.daemon.server.close()


@pytest.fixture
def bench(runtime: Path) -> Iterator[Idle]:
    bench = Idle(runtime)
    assert bench.bus is not None
    with lock_held(bench.bus.names):
        yield bench
        bench.close()


def test_a_viewer_wakes_it_and_sees_its_first_frame_and_no_placeholder(bench: Idle) -> None:
    bench.daemon.broken = OPENING
    client = bench.client()
    bench.daemon.step()
    assert len(bench.daemon.wakes) == 1
    bench.pass_ms(3000)
    assert client.parts() == []
    bench.publish(b"awake")
    bench.pass_ms(100)
    assert [part.body for part in client.parts()][-1:] == [b"awake"]
    assert bench.notices == []


def test_viewers_are_told_why_when_it_does_not_wake_in_time(bench: Idle) -> None:
    bench.daemon.broken = OPENING
    client = bench.client()
    bench.daemon.step()
    bench.pass_ms(4900)
    assert client.parts() == []
    bench.pass_ms(1500)
    assert [part.body for part in client.parts()][-1:] == [b"painted"]
    assert bench.notices[-1].message == OPENING["message"]


def test_what_keeps_it_from_waking_is_told_at_once(bench: Idle) -> None:
    bench.daemon.broken = {"code": "device-gone", "message": "it was unplugged", "remedy": "plug"}
    bench.client()
    bench.daemon.step()
    bench.pass_ms(1000)
    assert bench.notices[-1].message == "it was unplugged"


def test_the_lease_is_renewed_while_somebody_watches_and_not_afterwards(bench: Idle) -> None:
    client = bench.client()
    for _ in range(20):
        bench.pass_ms(1000)
        bench.feed.want()
        bench.daemon.step()
    assert len(bench.daemon.wakes) == 5
    client.viewer.close(Closed.LEFT)
    for _ in range(20):
        bench.pass_ms(1000)
        bench.feed.want()
        bench.daemon.step()
    assert len(bench.daemon.wakes) == 5


def test_without_a_camera_that_rests_a_placeholder_comes_as_ever(bench: Idle) -> None:
    assert bench.bus is not None
    bench.bus.tell("opening", IDLE)
    bench.client()
    assert bench.notices, "at once"
    assert bench.daemon.wakes == []
