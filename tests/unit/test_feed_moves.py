"""Viewers that go from feed to feed, as from worker to worker: parts stay whole, sums hold."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.feed import Bench, Client
from web_workers.counts.worker_counts import Closed, WorkerCounts, total
from web_workers.feeds.feed import Feed
from web_workers.handover.codec import restored_viewer
from web_workers.handover.viewer_state import decoded
from web_workers.viewers.viewer import EVENTS
from web_workers.wire.multipart import Style

OF = ("camera", "stream")
BIG = 300_000  # bytes; a socket pair holds one or two


class Workers(Bench):
    """A bench with several feeds of one camera."""

    def __init__(self, runtime: Path) -> None:
        super().__init__(runtime)
        assert self.bus is not None
        self.feeds = [self.feed] + [
            Feed(names=self.bus.names, loop=self.loop, paint=self.paint) for _ in range(2)
        ]
        self.at: dict[Client, Feed] = {}

    def join(self, style: Style = Style.PLAIN, fps: float | None = None, at: int = 0) -> Client:
        self.feed = self.feeds[at]
        client = self.client(style, fps)
        self.at[client] = self.feed
        return client

    def move(self, client: Client, to: int) -> None:
        old, new, viewer = self.at[client].fanout, self.feeds[to], client.viewer
        viewer_state = decoded(old.state_of(viewer).encoded())
        rest = bytes(viewer.rest or b"")
        assert viewer_state.rest == len(rest)
        sock = socket.socket(fileno=os.dup(viewer.fileno()))
        viewer.let_go()
        old.moved_out(viewer)
        client.viewer = restored_viewer(
            sock, viewer_state, rest, clock=self.clock, on_close=self.loop.remove
        )
        self.loop.add(client.viewer.fileno(), EVENTS, client.viewer.on_event)
        new.move_in(client.viewer, viewer_state)
        self.at[client] = new

    def worker_counts(self) -> WorkerCounts:
        return total(feed.fanout.worker_counts() for feed in self.feeds)

    def close(self) -> None:
        for feed in self.feeds:
            feed.close()
        super().close()


@pytest.fixture
def workers(runtime: Path) -> Iterator[Workers]:
    workers = Workers(runtime)
    yield workers
    workers.close()


@pytest.mark.parametrize("seed", range(30))
def test_sums_hold_and_every_part_is_whole_and_newer_wherever_viewers_go(
    workers: Workers, seed: int
) -> None:
    chance = random.Random(seed)
    workers.publish(os.urandom(BIG))
    there: list[Client] = []
    seen: dict[Client, list[int]] = {}
    due = 0  # frames published while somebody was there: once for each
    before: WorkerCounts = WorkerCounts()

    def read(client: Client) -> bool:
        data = client.raw()
        if client.viewer.style is not Style.ADVANCE:  # which has no sequences
            parts = [part for part in client.parser.feed(data) if not part.placeholder]
            seen[client] += [part.sequence for part in parts]
        return bool(data)

    for _ in range(120):
        what = ["publish"] * 4 + ["read"] * 3 + ["move"] * 4 + ["join", "leave", "pass"]
        match chance.choice(what):
            case "publish":
                workers.publish(os.urandom(BIG))
                due += len(there)
            case "read" if there:
                read(chance.choice(there))
                workers.loop.dispatch()
            case "move" if there:
                workers.move(chance.choice(there), chance.randrange(3))
            case "pass":
                workers.pass_ms(140)
            case "join":
                workers.publish(os.urandom(BIG))
                due += len(there)
                workers.pass_ms(140)  # all is seen by now
                style, fps = chance.choice(list(Style)), chance.choice([None, None, 5.0])
                client = workers.join(style, fps, chance.randrange(3))
                there.append(client)
                seen[client] = []
                due += 1  # the newest, at once
            case "leave" if there:
                workers.pass_ms(140)
                there.pop(chance.randrange(len(there))).viewer.close(Closed.LEFT)
        worker_counts = workers.worker_counts()
        assert all(worker_counts.counts[key] >= number for key, number in before.counts.items())
        assert worker_counts.now.get(("viewers", *OF), 0) == len(there)
        before = worker_counts
    workers.pass_ms(140)
    worker_counts = workers.worker_counts()
    sent, skipped = worker_counts.counts["sent", *OF], worker_counts.counts["skipped", *OF]
    assert due == sent + skipped + worker_counts.now["waiting", *OF]
    for client in there:
        while read(client) or client.viewer.rest is not None:
            workers.loop.dispatch()
    worker_counts = workers.worker_counts()
    assert due == worker_counts.counts["sent", *OF] + worker_counts.counts["skipped", *OF]
    assert worker_counts.counts["accepted", *OF] == len(there) + worker_counts.counts.get(
        ("closed", *OF, "left"), 0
    )
    for sequences in seen.values():
        # One that a pause makes the feed send again is not newer; none is older.
        assert sequences == sorted(sequences)
    newest = worker_counts.counts["sent", *OF]
    assert newest > 0
    for client in there:
        delivery = workers.at[client].fanout.delivery(client.viewer)
        if client.viewer.style is not Style.ADVANCE:
            assert delivery.sent == len(set(seen[client]))


def test_a_viewer_that_moves_gets_the_newest_frame_once(workers: Workers) -> None:
    workers.publish()
    client = workers.join()
    assert len(client.parts()) == 1
    workers.move(client, 1)
    assert client.parts() == []
    workers.publish()
    workers.move(client, 2)  # before the feed that it leaves has seen the frame
    assert [part.sequence for part in client.parts()] == [2]
    workers.pass_ms(140)
    assert client.parts() == []


def test_a_viewer_that_moves_keeps_its_place_in_a_part_and_its_rate(workers: Workers) -> None:
    workers.publish(os.urandom(1 << 20))
    slow = workers.join()
    calm = workers.join(fps=5.0)
    client_joined = slow.viewer.joined_ns
    for to in (1, 2, 1):
        workers.move(slow, to)
        workers.move(calm, to)
        slow.parts()
        workers.loop.dispatch()
    while slow.viewer.rest is not None:
        slow.parser.feed(slow.raw())
        workers.loop.dispatch()
    while calm.viewer.rest is not None:
        calm.parser.feed(calm.raw())
        workers.loop.dispatch()
    assert slow.viewer.joined_ns == client_joined
    for _ in range(25):  # a second's frames
        workers.publish()
        workers.pass_ms(40)
        workers.move(calm, 3 - workers.feeds.index(workers.at[calm]))
    assert 4 <= len(calm.parts()) <= 7
