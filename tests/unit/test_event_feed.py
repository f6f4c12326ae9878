from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from web_workers.counts.worker_counts import Closed
from web_workers.feeds.events import EventFeed
from web_workers.settings import Cameras, Settings
from web_workers.viewers.viewer import EVENTS, Viewer
from web_workers.wire.loop import StreamLoop

SECOND = 1_000_000_000


class Bench:
    def __init__(self, runtime: Path) -> None:
        self.now = 0
        self.lost = 0
        self.loop = StreamLoop(clock=lambda: self.now)
        self.feed = EventFeed(
            cameras=Cameras(Settings(runtime)),
            loop=self.loop,
            workers=lambda: [1, 2],
            lost=lambda: self.lost,
        )
        self.clients: list[socket.socket] = []

    def join(self, camera: str | None) -> tuple[Viewer, socket.socket]:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.clients.append(theirs)
        viewer = Viewer(ours, peer="t", clock=lambda: self.now, on_close=self.loop.remove)
        self.loop.add(viewer.fileno(), EVENTS, viewer.on_event)
        self.feed.join(viewer, b"", camera)
        return viewer, theirs

    def second(self) -> None:
        self.now += SECOND
        self.loop.dispatch()

    def close(self) -> None:
        self.feed.close()
        for client in self.clients:
            client.close()
        self.loop.close()


@pytest.fixture
def bench(runtime: Path) -> Iterator[Bench]:
    bench = Bench(runtime)
    yield bench
    bench.close()


def _states(client: socket.socket) -> list[dict[str, Any]]:
    try:
        text = client.recv(1 << 20).decode()
    except BlockingIOError:
        return []
    events = [event for event in text.split("\n\n") if event.startswith("event: state")]
    return [json.loads(event.split("data: ", 1)[1]) for event in events]


def test_a_viewer_is_told_at_once_and_each_second(bench: Bench) -> None:
    _, client = bench.join(None)
    assert [told["state"] for told in _states(client)] == ["absent"]
    bench.loop.dispatch()
    assert _states(client) == []
    bench.second()
    assert [told["camera"] for told in _states(client)] == ["camera"]


def test_a_daemons_word_is_passed_on_to_those_who_want_that_camera(
    bench: Bench, runtime: Path
) -> None:
    (runtime / "front.lock").touch()
    _, everything = bench.join(None)
    _, only_front = bench.join("front")
    assert {told["camera"] for told in _states(everything)} == {"camera", "front"}
    assert [told["camera"] for told in _states(only_front)] == ["front"]
    bench.feed.received("camera", b'{"event": "state", "state": "opening", "attempts": 3}')
    assert [told["attempts"] for told in _states(everything)] == [3]
    assert _states(only_front) == []


@pytest.mark.parametrize(
    "text", [b"no json", b"[]", b'{"event": "incident"}', b"\xff\xfe", b"[" * 99_999]
)
def test_what_is_no_state_is_left_alone(bench: Bench, text: bytes) -> None:
    _, client = bench.join(None)
    _states(client)
    bench.feed.received("camera", text)
    assert _states(client) == []


def test_a_slow_viewer_misses_states_but_ends_with_the_newest(bench: Bench) -> None:
    viewer, client = bench.join("camera")
    while viewer.rest is None:
        viewer.push(b":" + bytes(100_000) + b"\n\n")
    for number in range(5):
        told = json.dumps({"event": "state", "state": "opening", "attempts": number})
        bench.feed.received("camera", told.encode())
    text = b""
    while viewer.rest is not None:
        text += client.recv(1 << 20)
        bench.loop.dispatch()
    text += client.recv(1 << 20)
    assert text.count(b'"attempts":') == 1
    assert b'"attempts":4' in text


def test_nothing_runs_while_nobody_listens(bench: Bench) -> None:
    viewer, _ = bench.join(None)
    viewer.close(Closed.LEFT)
    assert bench.loop.timeout_s(99.0) == 99.0
    _, client = bench.join(None)
    assert len(_states(client)) == 1


def test_viewers_are_counted_by_what_they_wanted(bench: Bench) -> None:
    first, client = bench.join(None)
    bench.join("camera")
    first.close(Closed.LEFT)
    client.setblocking(True)
    told = 0
    while data := client.recv(1 << 20):
        told += len(data)
    worker_counts = bench.feed.worker_counts()
    assert worker_counts.now == {("viewers", "*", "events"): 0, ("viewers", "camera", "events"): 1}
    assert worker_counts.counts["accepted", "*", "events"] == 1
    assert worker_counts.counts["closed", "*", "events", "left"] == 1
    assert worker_counts.counts["bytes", "*", "events"] == told
    assert worker_counts.counts["accepted", "camera", "events"] == 1
