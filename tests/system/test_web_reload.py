"""Redeploys of a real gunicorn: whoever watches stays, whatever becomes of a worker."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.processes import alive
from tests.helpers.waiting import until
from tests.programs.watched_web_tier import watched
from tests.programs.web_tier import WebTier, with_a_frame
from tests.rigs.bus import Bus

OF = {"camera": "camera", "kind": "stream"}
pytestmark = pytest.mark.timeout(300)


def test_viewers_outlive_the_only_worker_again_and_again(runtime: Path, bus: Bus) -> None:
    bus.start(size=100_000)
    with watched(runtime, 5) as there:
        for reloads in range(1, 4):
            there.after(there.reload, workers=1)
            until(
                lambda reloads=reloads: (  # type: ignore[misc]
                    there.count("handovers_total", outcome="done") == 5 * reloads
                ),
                within_s=30,
            )
        assert there.count("viewers_accepted_total", **OF) == 5
        scrape = there.tier.scrape()
        assert scrape.sum("framebus_viewers_closed_total", **OF) == 0
        assert scrape.value("framebus_viewers", **OF) == 5


def test_a_worker_that_is_taken_away_or_ended_leaves_its_viewers_to_the_others(
    runtime: Path, bus: Bus
) -> None:
    bus.start()
    with watched(runtime, 8, workers=2) as there:
        there.tier.process.send_signal(signal.SIGTTOU)
        until(lambda: len(there.tier.workers()) == 1, within_s=60)
        there.all_see_more()
        there.tier.process.send_signal(signal.SIGTTIN)
        until(lambda: len(there.tier.workers()) == 2, within_s=60)
        (first, second) = there.tier.workers()
        for worker in (first, second):
            os.kill(worker, signal.SIGTERM)
            until(
                lambda worker=worker: (  # type: ignore[misc]
                    not alive(worker) and len(there.tier.workers()) == 2
                ),
                within_s=60,
            )
            there.all_see_more()
        assert there.count("viewers_accepted_total", **OF) == 8


def test_viewers_outlive_workers_that_are_recycled(runtime: Path, bus: Bus) -> None:
    bus.start()
    with watched(runtime, 2, max_requests="5") as there:
        seen: set[int] = set()

        def recycled() -> bool:
            assert there.tier.get("/healthz")[0] == 200
            seen.update(there.tier.workers())
            return len(seen) > 3

        until(recycled, within_s=120)
        there.all_see_more()


def test_a_killed_worker_loses_only_its_own_viewers(runtime: Path, bus: Bus) -> None:
    bus.start()
    with watched(runtime, 12, workers=2) as there:
        peers = there.per_worker()
        killed = max(peers, key=lambda worker: len(peers[worker]))
        os.kill(killed, signal.SIGKILL)
        until(lambda: killed not in there.tier.workers(), within_s=60)
        lost = {int(peer.rpartition(":")[2]) for peer in peers[killed]}
        gone = [viewer for viewer in there.viewers if viewer.local_port in lost]
        assert len(gone) == len(lost) > 0
        for viewer in gone:
            until(lambda viewer=viewer: viewer.closed, within_s=30)  # type: ignore[misc]
            viewer.close()
            there.viewers.remove(viewer)
        there.all_see_more()
        with socket.create_connection(("127.0.0.1", there.tier.port), timeout=60) as page:
            page.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert _server(page.makefile("rb"))["lost"] == 1


def _server(events: Any) -> Any:
    """The next event about the workers."""
    while line := events.readline():
        if line == b"event: server\n":
            return json.loads(events.readline().removeprefix(b"data: "))
    raise AssertionError("the events ended")


def test_viewers_of_states_stay_too_and_are_told_of_the_new_workers(
    runtime: Path, bus: Bus
) -> None:
    bus.start()
    with (
        watched(runtime, 1) as there,
        socket.create_connection(("127.0.0.1", there.tier.port), timeout=60) as page,
    ):
        page.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        events = page.makefile("rb")
        told = _server(events)
        assert told["workers"] == there.tier.workers()
        there.after(there.reload, workers=1)
        new = there.tier.workers()
        until(lambda: _server(events) == {"workers": new, "lost": 0}, within_s=60)


def goes_on(runtime: Path, bus: Bus) -> bool:
    """Reload in the middle of a part; False if its viewer was thrown out meanwhile as stalled."""
    tier = WebTier(runtime)
    slow = with_a_frame(tier, bus, receive_buffer=4096)
    quick = with_a_frame(tier, bus, "/stream?fps=10").start()
    first = {slow.frames[0].sequence, quick.frames[0].sequence}
    try:
        bus.start(size=800_000)  # more than a socket holds
        until(
            lambda: any(viewer["skipped"] > 3 for viewer in tier.json("/state")["viewers"]["list"]),
            what="a part stands on its way",
        )
        old = tier.workers()
        tier.process.send_signal(signal.SIGHUP)
        until(lambda: not set(old) & set(tier.workers()) and tier.workers(), within_s=60)
        assert "lost" not in tier.log()
        slow.start()
        slow.wait(lambda: len(slow.frames) >= 3, "the part is whole, and others come")
        slow.check()
        quick.wait(lambda: len(quick.frames) >= 20, "frames")
        quick.check()
        bus.pause()
        last = bus.writer.cursor

        def counted() -> bool:
            listed = tier.json("/state")["viewers"]["list"]
            sums = {viewer["sent"] + viewer["skipped"] for viewer in listed}
            return len(listed) == 2 and sums == {last - sequence + 1 for sequence in first}

        until(counted, what="sent + skipped = published since joining")
    except AssertionError:
        if tier.scrape().value("framebus_viewers_closed_total", **OF, reason="stalled"):
            return False
        raise
    finally:
        bus.pause()
        slow.close()
        quick.close()
        tier.close()
    return True


def test_a_part_that_was_under_way_goes_on_and_sums_hold(runtime: Path, bus: Bus) -> None:
    # A machine that stands still for ten seconds may cost the slow viewer its connection.
    assert any(goes_on(runtime, bus) for _ in range(3))


def test_viewers_spread_to_a_worker_that_comes_later(runtime: Path, bus: Bus) -> None:
    bus.start()
    with watched(runtime, 30) as there:
        there.tier.process.send_signal(signal.SIGTTIN)
        until(lambda: len(there.tier.workers()) == 2, within_s=60)

        def spread() -> bool:
            counts = sorted(len(peers) for peers in there.per_worker().values())
            return sum(counts) == 30 and counts[0] >= 10

        until(spread, within_s=60, what="both have viewers")
        there.all_see_more()
        done = there.count("handovers_total", outcome="done")
        there.all_see_more(60)  # two seconds of frames
        assert there.count("handovers_total", outcome="done") == done  # and then they stay
