"""What a feed counts of its viewers: the sums hold at every moment, and nothing is taken back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.feed import Bench, Client
from web_workers.counts.worker_counts import Closed, WorkerCounts
from web_workers.viewers.viewer import STALL_NS
from web_workers.wire.multipart import Style

BIG = bytes(300_000)  # a socket pair holds one or two
OF = ("camera", "stream")


@pytest.fixture
def bench(runtime: Path) -> Iterator[Bench]:
    bench = Bench(runtime)
    yield bench
    bench.close()


def drain(bench: Bench, clients: list[Client]) -> None:
    """Let everybody receive all that there is for them."""
    for client in clients:
        while client.parts() or client.viewer.rest is not None:
            bench.loop.dispatch()


def of(worker_counts: WorkerCounts, name: str) -> int:
    return worker_counts.counts[(name, *OF)]


@pytest.mark.parametrize("seed", range(20))
def test_sent_and_skipped_are_what_was_published_and_never_fall(bench: Bench, seed: int) -> None:
    chance = random.Random(seed)
    bench.publish(BIG)
    there: list[Client] = []
    due = 0  # frames published while somebody was there: once for each
    before = WorkerCounts()
    for _ in range(120):
        match chance.choice(["publish"] * 4 + ["read"] * 3 + ["join", "leave", "restart"]):
            case "publish":
                bench.publish(BIG)
                due += len(there)
            case "read" if there:
                chance.choice(there).raw()
                bench.loop.dispatch()
            case "join":
                style, fps = chance.choice(list(Style)), chance.choice([None, None, 5.0])
                bench.publish(BIG)
                due += len(there)
                bench.pass_ms(70)  # all is seen by now
                there.append(bench.client(style, fps))
                due += 1  # the newest, at once
            case "leave" if there:
                bench.pass_ms(70)
                there.pop(chance.randrange(len(there))).viewer.close(Closed.LEFT)
            case "restart":
                bench.pass_ms(70)
                bench.restart()
        bench.pass_ms(70)
        worker_counts = bench.feed.fanout.worker_counts()
        assert (
            due
            == of(worker_counts, "sent")
            + of(worker_counts, "skipped")
            + worker_counts.now[("waiting", *OF)]
        )
        assert worker_counts.now[("viewers", *OF)] == len(there)
        assert all(worker_counts.counts[key] >= number for key, number in before.counts.items())
        before = worker_counts
    for client in there:
        while client.raw() or client.viewer.rest is not None:
            bench.loop.dispatch()
    worker_counts = bench.feed.fanout.worker_counts()
    assert worker_counts.now[("waiting", *OF)] == 0
    assert due == of(worker_counts, "sent") + of(worker_counts, "skipped")
    closed = worker_counts.counts.get(("closed", *OF, "left"), 0)
    assert of(worker_counts, "accepted") == len(there) + closed


def test_bytes_are_all_that_a_viewer_got_placeholders_included(bench: Bench) -> None:
    clients = [bench.client(), bench.client(Style.EXTRA)]
    got = 0
    for _ in range(5):
        bench.publish()
        bench.pass_ms(2000)
        got += sum(len(client.raw()) for client in clients)
    assert of(bench.feed.fanout.worker_counts(), "bytes") == got
    clients[0].viewer.close(Closed.LEFT)
    assert of(bench.feed.fanout.worker_counts(), "bytes") == got


def test_what_a_stalled_viewer_waited_for_it_has_skipped_in_the_end(bench: Bench) -> None:
    bench.publish(bytes(1 << 20))
    stalled = bench.client()
    bench.publish(BIG)
    bench.pass_ms(70)
    assert bench.feed.fanout.delivery(stalled.viewer).waiting == 1
    bench.pass_ms(200)
    bench.now += STALL_NS
    bench.feed.fanout.close_stalled(bench.now)
    worker_counts = bench.feed.fanout.worker_counts()
    assert (of(worker_counts, "sent"), of(worker_counts, "skipped")) == (1, 1)
    assert worker_counts.now == {("viewers", *OF): 0, ("waiting", *OF): 0}
    assert worker_counts.counts["closed", *OF, "stalled"] == 1


def test_a_worker_that_ends_says_so_of_its_viewers(bench: Bench) -> None:
    bench.client()
    bench.feed.close()
    assert bench.feed.fanout.worker_counts().counts["closed", *OF, "ended"] == 1


def test_each_frame_has_one_age_however_many_viewers_take_it(bench: Bench) -> None:
    for _ in range(3):
        bench.client()
    for age_ms in (3, 40, 40):
        bench.publish(age_ms=age_ms)
        bench.pass_ms(70)  # found when the cursor is looked at: within 60 ms
    counts = bench.feed.fanout.worker_counts().counts
    ages = {key[3]: number for key, number in counts.items() if key[0] == "age"}
    assert sum(ages.values()) == 3
    assert 83 * 10**6 <= of(bench.feed.fanout.worker_counts(), "age_ns") <= (83 + 3 * 70) * 10**6


def test_a_viewers_age_is_that_of_the_newest_frame_it_was_sent(bench: Bench) -> None:
    bench.publish(bytes(1 << 20))
    slow = bench.client()
    quick = bench.client(fps=1000.0)
    drain(bench, [quick])
    bench.pass_ms(500)
    bench.publish()
    bench.pass_ms(70)
    keeping_up, behind = (
        bench.feed.fanout.age_ns(quick.viewer),
        bench.feed.fanout.age_ns(slow.viewer),
    )
    assert keeping_up is not None
    assert behind is not None
    assert keeping_up <= 70 * 10**6 < 500 * 10**6 <= behind
    drain(bench, [slow, quick])
    assert bench.feed.fanout.age_ns(slow.viewer) == bench.feed.fanout.age_ns(quick.viewer)
