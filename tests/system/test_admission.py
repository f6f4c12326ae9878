"""Limits on viewers over several real workers: kept in a burst, and freed by whoever leaves."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import selectors
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.helpers.waiting import until
from tests.programs.web_tier import Stream, WebTier
from tests.rigs.bus import Bus

OF = {"camera": "camera", "kind": "stream"}
pytestmark = pytest.mark.timeout(300)


@contextlib.contextmanager
def limited(runtime: Path, *, workers: int = 2, **limits: str) -> Iterator[WebTier]:
    environ = {f"FRAMEBUS_{name.upper()}": value for name, value in limits.items()}
    tier = WebTier(runtime, workers=workers, environ=environ)
    try:
        yield tier
    finally:
        tier.close()


def burst(tier: WebTier, stack: ExitStack, count: int, path: str = "/stream") -> Counter[bytes]:
    """Ask for `count` streams at once; return how often each status line came."""
    selector = stack.enter_context(selectors.DefaultSelector())
    for _ in range(count):
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", tier.port), 30))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        selector.register(connection, selectors.EVENT_READ)
    statuses: Counter[bytes] = Counter()

    def answered() -> bool:
        for key, _ in selector.select(0.1):
            assert isinstance(key.fileobj, socket.socket)
            statuses[key.fileobj.recv(12)] += 1
            selector.unregister(key.fileobj)
        return sum(statuses.values()) == count

    until(answered, within_s=60, what="all are answered")
    return statuses


def viewers(tier: WebTier) -> float | None:
    return tier.scrape().value("framebus_viewers", **OF)


def refusals(tier: WebTier, reason: str) -> float | None:
    return tier.scrape().value("framebus_viewers_refused_total", **OF, reason=reason)


def test_a_burst_passes_no_limit_and_who_was_there_keeps_frames(runtime: Path, bus: Bus) -> None:
    bus.start()
    with limited(runtime, max_viewers="20") as tier:
        first = Stream(tier.port).start()
        try:
            first.wait(lambda: first.frames, "a frame")
            with ExitStack() as stack:
                statuses = burst(tier, stack, 300)
                let_in, refused = statuses[b"HTTP/1.1 200"], statuses[b"HTTP/1.1 503"]
                assert let_in + refused == 300
                # Two that took the last place at one moment may both have been sent away.
                assert 20 - len(tier.workers()) < let_in + 1 <= 20
                count = len(first.frames)
                first.wait(lambda: len(first.frames) >= count + 20, "frames go on")
                until(lambda: viewers(tier) == let_in + 1, within_s=30, what="viewers are told")
                until(
                    lambda: refusals(tier, "too-many-viewers") == refused,
                    within_s=30,
                    what="refusals are told",
                )
            until(lambda: viewers(tier) == 1, within_s=30, what="the others have left")
            with ExitStack() as stack:
                assert burst(tier, stack, 10) == {b"HTTP/1.1 200": 10}
        finally:
            first.close()
        assert tier.log().count("a viewer was refused") <= 2 * len(tier.workers())


def test_a_killed_workers_viewers_count_no_more(runtime: Path, bus: Bus) -> None:
    bus.start()
    with limited(runtime, max_viewers="6") as tier:
        for _ in range(3):
            with ExitStack() as stack:
                assert burst(tier, stack, 5) == {b"HTTP/1.1 200": 5}
                before = tier.workers()
                for pid in before:
                    os.kill(pid, signal.SIGKILL)
                until(
                    lambda before=before: len(set(tier.workers()) - set(before)) == 2,  # type: ignore[misc]
                    within_s=60,
                    what="new workers",
                )
        with ExitStack() as stack:
            assert burst(tier, stack, 5) == {b"HTTP/1.1 200": 5}


def test_what_is_over_a_rate_is_refused_in_words(runtime: Path, bus: Bus) -> None:
    bus.publish(bytes(100_000))  # at 30 a second: 3 MB/s a viewer
    with limited(runtime, workers=1, max_rate="4000000") as tier:

        def let_in(stack: ExitStack, path: str = "/stream") -> bool:
            return burst(tier, stack, 1, path) == {b"HTTP/1.1 200": 1}

        def refused() -> tuple[dict[str, str], dict[str, str]] | None:
            """Headers and document of a refusal beside one viewer, and then a slower one gets in.

            None on a machine that stood still for two seconds: the rate that counts was measured.
            """
            with ExitStack() as stack:
                if not let_in(stack):
                    return None
                connection = http.client.HTTPConnection("127.0.0.1", tier.port, timeout=30)
                stack.callback(connection.close)
                connection.request("GET", "/stream", headers={"Accept": "application/json"})
                response = connection.getresponse()
                if response.status != 503:
                    return None
                told = dict(response.getheaders()), json.loads(response.read())
                return told if let_in(stack, "/stream?fps=5") else None

        found = until(refused, within_s=60, what="a refusal, and a slower viewer that is let in")
        assert found is not None
        headers, document = found
        assert headers["Retry-After"] == "10"
        assert document["error"] == "too-much-data"
        assert "3000000 more" in document["message"]
        assert "--max-rate" in document["remedy"]

        with ExitStack() as stack:
            assert until(lambda: let_in(stack), within_s=60, what="the others have left")
            # Nothing is published: what was expected of a viewer is soon known to be nothing.
            until(lambda: let_in(stack), within_s=60, what="measured rates count")


def test_one_address_has_its_own_limit(runtime: Path, bus: Bus) -> None:
    bus.start()
    with (
        limited(runtime, max_viewers_per_address="3") as tier,
        ExitStack() as stack,
    ):
        statuses = burst(tier, stack, 40)
        assert 1 <= statuses[b"HTTP/1.1 200"] <= 3
        elsewhere = stack.enter_context(
            socket.create_connection(("127.0.0.1", tier.port), 30, source_address=("127.0.0.2", 0))
        )
        elsewhere.sendall(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert elsewhere.recv(12) == b"HTTP/1.1 200"


def test_places_go_along_to_the_workers_that_a_reload_brings(runtime: Path, bus: Bus) -> None:
    bus.start()
    with limited(runtime, workers=1, max_viewers="5") as tier, ExitStack() as stack:
        assert burst(tier, stack, 5) == {b"HTTP/1.1 200": 5}
        (old,) = tier.workers()
        tier.process.send_signal(signal.SIGHUP)
        until(lambda: old not in tier.workers(), within_s=60, what="the old worker has ended")
        until(lambda: viewers(tier) == 5, within_s=60, what="its viewers have moved")
        with ExitStack() as late:
            assert burst(tier, late, 3) == {b"HTTP/1.1 503": 3}
        stack.close()
        until(lambda: viewers(tier) == 0, within_s=60, what="all have left")
        with ExitStack() as again:
            assert burst(tier, again, 5) == {b"HTTP/1.1 200": 5}
