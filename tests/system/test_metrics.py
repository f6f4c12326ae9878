"""/metrics of a real gunicorn: what its workers counted, whatever becomes of them."""

from __future__ import annotations

import http.client
import os
import signal
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.helpers.metrics import Scrape, Series, parsed
from tests.helpers.processes import alive, threads
from tests.helpers.waiting import until
from tests.programs.web_tier import Stream, WebTier
from tests.rigs.bus import Bus

NAME = {"camera": "camera"}
OF = {**NAME, "kind": "stream"}
pytestmark = pytest.mark.timeout(300)


def scrape_each(tier: WebTier) -> list[Scrape]:
    """One answer of each worker: the others are stopped meanwhile."""
    answers = []
    for silent in tier.workers():
        os.kill(silent, signal.SIGSTOP)
        try:
            until(lambda silent=silent: set(threads(silent).values()) == {"T"}, within_s=30)  # type: ignore[misc]
            answers.append(tier.scrape())
        finally:
            os.kill(silent, signal.SIGCONT)
    return answers


class Watch:
    """Scrapes without a pause, and notes every counter that falls."""

    def __init__(self, tier: WebTier) -> None:
        self.fallen: list[tuple[Series, float, float]] = []
        self.scrapes = 0
        self.last = Scrape({}, {})
        self._tier = tier
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        before: dict[Series, float] = {}
        while not self._stop.is_set():
            try:
                _, _, body = self._tier.get("/metrics")
            except (OSError, http.client.HTTPException):
                continue  # the worker was killed while it answered
            self.last = parsed(body)
            counters = self.last.counters()
            self.fallen += [
                (series, value, counters.get(series, 0.0))
                for series, value in before.items()
                if counters.get(series, 0.0) < value
            ]
            before = counters
            self.scrapes += 1

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def closed(scrape: Scrape, reason: str) -> float:
    return scrape.value("framebus_viewers_closed_total", **OF, reason=reason) or 0.0


def watched(tier: WebTier, patient_bus: Bus, stack: ExitStack, count: int) -> list[Stream]:
    """Let so many viewers in, and wait until each has a frame."""
    patient_bus.publish()
    viewers = [Stream(tier.port).start() for _ in range(count)]
    for viewer in viewers:
        stack.callback(viewer.close)
    for viewer in viewers:
        viewer.wait(lambda viewer=viewer: viewer.frames, "a frame")  # type: ignore[misc]
    return viewers


def all_adds_up(tier: WebTier, patient_bus: Bus) -> bool:
    """Publish to seven viewers, one of which does not read; False if that one was thrown out."""
    until(lambda: tier.scrape().value("framebus_viewers", **OF) == 0, within_s=40)
    before = tier.scrape()
    with ExitStack() as stack:
        viewers = watched(tier, patient_bus, stack, 4)
        for path in ("/stream?fps=7", "/stream?extra_headers=1"):
            viewers.append(Stream(tier.port, path).start())
            stack.callback(viewers[-1].close)
        lazy = Stream(tier.port, receive_buffer=4096)
        stack.callback(lazy.close)
        lazy.read_a_frame()
        for viewer in (*viewers, lazy):
            until(lambda viewer=viewer: viewer.frames, within_s=30, what="a frame")  # type: ignore[misc]
        first = patient_bus.writer.cursor
        assert {viewer.frames[0].sequence for viewer in (*viewers, lazy)} == {first}
        for _ in range(60):
            patient_bus.publish(bytes(200_000))
            at = len(viewers[0].frames)
            viewers[0].wait(lambda at=at: len(viewers[0].frames) > at, "it goes on")  # type: ignore[misc]
        due = 7 * (patient_bus.writer.cursor - first + 1)

        def counted() -> bool:
            now = tier.scrape()
            if closed(now, "stalled") > closed(before, "stalled"):
                return True
            grown = {
                name: now.sum(f"framebus_viewer_frames_{name}")
                - before.sum(f"framebus_viewer_frames_{name}")
                for name in ("sent_total", "skipped_total", "waiting")
            }
            return grown["skipped_total"] > 0 and sum(grown.values()) == due

        until(counted, within_s=40, what="sent + skipped + waiting = published, seven times")
        answers, last = scrape_each(tier), tier.scrape()
        if closed(last, "stalled") > closed(before, "stalled"):
            return False
        assert len(answers) == 2
        for each in answers:  # whoever answers, answers for both
            assert each.value("framebus_web_workers") == 2
            assert each.value("framebus_viewers", **OF) == 7
        received = sum(len(part.body) for viewer in viewers for part in viewer.parts)
        name = "framebus_viewer_sent_bytes_total"
        # A part counts when its sending begins; its bytes are told a second later at most.
        until(lambda: tier.scrape().sum(name) - before.sum(name) > received, within_s=30)
        assert last.sum("framebus_frame_age_at_send_seconds_count") > 0
    return True


def test_what_viewers_of_two_workers_got_adds_up_with_a_slow_one_among_them(
    runtime: Path, patient_bus: Bus
) -> None:
    tier = WebTier(runtime, workers=2)
    try:
        # A machine that stands still for ten seconds may cost the slow viewer its connection.
        assert any(all_adds_up(tier, patient_bus) for _ in range(3))
    finally:
        tier.close()


def test_counters_never_fall_when_workers_are_killed_reloaded_and_end(
    runtime: Path, patient_bus: Bus
) -> None:
    tier = WebTier(runtime, workers=2)

    def replaced(old: set[int]) -> bool:
        new = tier.workers()
        return len(new) == 2 and not old & set(new)

    def settled() -> bool:
        now = tier.scrape()
        accepted = now.value("framebus_viewers_accepted_total", **OF)
        there = now.value("framebus_viewers", **OF)
        assert accepted is not None
        assert there is not None
        return accepted == there + now.sum("framebus_viewers_closed_total", **OF)

    try:
        with ExitStack() as stack, Watch(tier) as watch:
            for _ in range(3):
                watched(tier, patient_bus, stack, 4)
                before = tier.scrape()
                killed = until(lambda: with_viewers(tier), within_s=30, what="who has viewers")
                os.kill(killed, signal.SIGKILL)
                until(lambda killed=killed: killed not in tier.workers(), within_s=30)  # type: ignore[misc]
                until(lambda: len(tier.workers()) == 2, within_s=30)
                until(
                    lambda before=before: (
                        closed(tier.scrape(), "worker-died")  # type: ignore[misc]
                        > closed(before, "worker-died")
                    ),
                    within_s=30,
                    what="its viewers are told lost",
                )
            watched(tier, patient_bus, stack, 4)
            old = set(tier.workers())
            tier.process.send_signal(signal.SIGHUP)
            until(lambda: replaced(old), within_s=40, what="new workers")
            until(lambda: not any(alive(pid) for pid in old), within_s=40)
            until(
                lambda: (tier.scrape().value("framebus_handovers_total", outcome="done") or 0) > 0,
                within_s=30,
                what="viewers were handed over",
            )
            watched(tier, patient_bus, stack, 2)
            until(settled, within_s=30, what="accepted = there + closed")
            seen = watch.scrapes
            until(lambda: watch.scrapes > seen + 10, within_s=40)
        assert watch.fallen == []
        assert tier.scrape().value("framebus_web_workers") == 2
    finally:
        tier.close()


def with_viewers(tier: WebTier) -> int:
    """The worker that happens to answer, if it has viewers; else 0."""
    told = tier.json("/state")["viewers"]
    return int(told["worker"]) if told["count"] else 0


def test_counters_go_on_when_workers_are_recycled(runtime: Path, patient_bus: Bus) -> None:
    tier = WebTier(runtime, max_requests="5")
    try:
        with ExitStack() as stack:
            watched(tier, patient_bus, stack, 2)
            seen: set[int] = set()

            def recycled() -> bool:
                seen.update(tier.workers())
                return len(seen) > 3

            with Watch(tier) as watch:
                until(recycled, within_s=120)
        assert watch.fallen == []
        assert watch.last.value("framebus_viewers_accepted_total", **OF) == 2
        assert watch.last.value("framebus_web_workers") == 1
    finally:
        tier.close()


def test_the_counts_of_good_thinned_slow_and_stalled_viewers_each_add_up(
    runtime: Path, patient_bus: Bus
) -> None:
    tier = WebTier(runtime)
    try:
        with ExitStack() as stack:
            (good,) = watched(tier, patient_bus, stack, 1)
            thinned = Stream(tier.port, "/stream?fps=3").start()
            stack.callback(thinned.close)
            for _ in range(2):  # one reads a little now and then, one nothing at all
                slow = Stream(tier.port, receive_buffer=4096)
                stack.callback(slow.close)
                slow.read_a_frame()
            thinned.wait(lambda: thinned.frames, "a frame")
            first = patient_bus.writer.cursor
            for _ in range(40):
                patient_bus.publish(bytes(200_000))
                at = len(good.frames)
                good.wait(lambda at=at: len(good.frames) > at, "it goes on")  # type: ignore[misc]
                slow.read_some()
            due = patient_bus.writer.cursor - first + 1

            def counted() -> bool:
                listed = tier.json("/state")["viewers"]["list"]
                thrown_out = 4 - len(listed)
                assert thrown_out <= 2, "a good one was thrown out"
                return all(viewer["sent"] + viewer["skipped"] == due for viewer in listed)

            until(counted, within_s=40, what="sent + skipped = published, for each")
            listed = tier.json("/state")["viewers"]["list"]
            assert max(viewer["sent"] for viewer in listed) == due
            assert sum(viewer["skipped"] > 0 for viewer in listed) >= 1
    finally:
        tier.close()
