"""/metrics of a real gunicorn with two workers, and of a real daemon that loses its frames."""

from __future__ import annotations

import http.client
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bus import Bus, jpeg
from tests.daemons import DaemonProcess
from tests.metrics import Scrape, Series, parsed
from tests.processes import alive, threads
from tests.system.webtier import Stream, WebTier
from tests.waiting import until

NAME = {"camera": "camera"}
OF = {**NAME, "kind": "stream"}
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def bus(runtime: Path) -> Iterator[Bus]:
    bus = Bus(runtime, fps=0.1)  # what is 30 s old is fresh: nobody gets a placeholder here
    yield bus
    bus.close()


def scrape(tier: WebTier) -> Scrape:
    status, headers, body = tier.get("/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=")
    return parsed(body)


def scrape_each(tier: WebTier) -> list[Scrape]:
    """One answer of each worker: the others are stopped meanwhile."""
    answers = []
    for silent in tier.workers():
        os.kill(silent, signal.SIGSTOP)
        try:
            until(lambda silent=silent: set(threads(silent).values()) == {"T"}, within_s=30)  # type: ignore[misc]
            answers.append(scrape(tier))
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


def watched(tier: WebTier, bus: Bus, stack: ExitStack, count: int) -> list[Stream]:
    """Let so many viewers in, and wait until each has a frame."""
    bus.publish()
    viewers = [Stream(tier.port).start() for _ in range(count)]
    for viewer in viewers:
        stack.callback(viewer.close)
    for viewer in viewers:
        viewer.wait(lambda viewer=viewer: viewer.frames, "a frame")  # type: ignore[misc]
    return viewers


def all_adds_up(tier: WebTier, bus: Bus) -> bool:
    """Publish to seven viewers, one of which does not read; False if that one was thrown out."""
    until(lambda: scrape(tier).value("framebus_viewers", **OF) == 0, within_s=40)
    before = scrape(tier)
    with ExitStack() as stack:
        viewers = watched(tier, bus, stack, 4)
        for path in ("/stream?fps=7", "/stream?extra_headers=1"):
            viewers.append(Stream(tier.port, path).start())
            stack.callback(viewers[-1].close)
        lazy = Stream(tier.port, receive_buffer=4096)
        stack.callback(lazy.close)
        lazy.read_a_frame()
        for viewer in (*viewers, lazy):
            until(lambda viewer=viewer: viewer.frames, within_s=30, what="a frame")  # type: ignore[misc]
        first = bus.writer.cursor
        assert {viewer.frames[0].sequence for viewer in (*viewers, lazy)} == {first}
        for _ in range(60):
            bus.publish(bytes(200_000))
            at = len(viewers[0].frames)
            viewers[0].wait(lambda at=at: len(viewers[0].frames) > at, "it goes on")  # type: ignore[misc]
        due = 7 * (bus.writer.cursor - first + 1)

        def counted() -> bool:
            now = scrape(tier)
            if closed(now, "stalled") > closed(before, "stalled"):
                return True
            grown = {
                name: now.sum(f"framebus_viewer_frames_{name}")
                - before.sum(f"framebus_viewer_frames_{name}")
                for name in ("sent_total", "skipped_total", "waiting")
            }
            return grown["skipped_total"] > 0 and sum(grown.values()) == due

        until(counted, within_s=40, what="sent + skipped + waiting = published, seven times")
        answers, last = scrape_each(tier), scrape(tier)
        if closed(last, "stalled") > closed(before, "stalled"):
            return False
        assert len(answers) == 2
        for each in answers:  # whoever answers, answers for both
            assert each.value("framebus_web_workers") == 2
            assert each.value("framebus_viewers", **OF) == 7
        received = sum(len(part.body) for viewer in viewers for part in viewer.parts)
        name = "framebus_viewer_sent_bytes_total"
        # A part counts when its sending begins; its bytes are told a second later at most.
        until(lambda: scrape(tier).sum(name) - before.sum(name) > received, within_s=30)
        assert last.sum("framebus_frame_age_at_send_seconds_count") > 0
    return True


def test_what_viewers_of_two_workers_got_adds_up_with_a_slow_one_among_them(
    runtime: Path, bus: Bus
) -> None:
    tier = WebTier(runtime, workers=2)
    try:
        # A machine that stands still for ten seconds may cost the slow viewer its connection.
        assert any(all_adds_up(tier, bus) for _ in range(3))
    finally:
        tier.close()


def test_counters_never_fall_when_workers_are_killed_reloaded_and_end(
    runtime: Path, bus: Bus
) -> None:
    tier = WebTier(runtime, workers=2)

    def replaced(old: set[int]) -> bool:
        new = tier.workers()
        return len(new) == 2 and not old & set(new)

    def settled() -> bool:
        now = scrape(tier)
        accepted = now.value("framebus_viewers_accepted_total", **OF)
        there = now.value("framebus_viewers", **OF)
        assert accepted is not None
        assert there is not None
        return accepted == there + now.sum("framebus_viewers_closed_total", **OF)

    try:
        with ExitStack() as stack, Watch(tier) as watch:
            for _ in range(3):
                watched(tier, bus, stack, 4)
                before = scrape(tier)
                killed = until(lambda: with_viewers(tier), within_s=30, what="who has viewers")
                os.kill(killed, signal.SIGKILL)
                until(lambda killed=killed: killed not in tier.workers(), within_s=30)  # type: ignore[misc]
                until(lambda: len(tier.workers()) == 2, within_s=30)
                until(
                    lambda before=before: (
                        closed(scrape(tier), "worker-died")  # type: ignore[misc]
                        > closed(before, "worker-died")
                    ),
                    within_s=30,
                    what="its viewers are told lost",
                )
            watched(tier, bus, stack, 4)
            old = set(tier.workers())
            tier.process.send_signal(signal.SIGHUP)
            until(lambda: replaced(old), within_s=40, what="new workers")
            until(lambda: not any(alive(pid) for pid in old), within_s=40)
            until(lambda: closed(scrape(tier), "ended") > 0, within_s=30)
            watched(tier, bus, stack, 2)
            until(settled, within_s=30, what="accepted = there + closed")
            seen = watch.scrapes
            until(lambda: watch.scrapes > seen + 10, within_s=40)
        assert watch.fallen == []
        assert scrape(tier).value("framebus_web_workers") == 2
    finally:
        tier.close()


def with_viewers(tier: WebTier) -> int:
    """The worker that happens to answer, if it has viewers; else 0."""
    told = tier.json("/state")["viewers"]
    return int(told["worker"]) if told["count"] else 0


def test_counters_go_on_when_workers_are_recycled(runtime: Path, bus: Bus) -> None:
    tier = WebTier(runtime, max_requests="5")
    try:
        with ExitStack() as stack:
            watched(tier, bus, stack, 2)
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


def test_a_daemons_frames_and_incidents_are_told_and_no_secret_of_it(
    runtime: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "pictures"
    tier = WebTier(runtime)
    try:
        with DaemonProcess(runtime, "--source", f"file:{clip}") as daemon:
            daemon.until_state("failed")

            def away() -> bool:
                now = scrape(tier)
                assert now.value("framebus_camera_online", **NAME) == 0
                began = now.value("framebus_incident_began_timestamp_seconds", **NAME)
                return (
                    now.value("framebus_incident_active", **NAME) == 1
                    and now.value("framebus_camera_state", **NAME, state="failed") == 1
                    and now.value("framebus_camera_cause", **NAME, code="no-such-file") == 1
                    and now.value("framebus_daemon_answers", **NAME) == 1
                    and began is not None
                    and began > 1.7e9
                )

            until(away, within_s=30, what="the incident")
            clip.mkdir()
            for number in range(20):
                (clip / f"good-{number:02d}.jpg").write_bytes(jpeg(number))
            (clip / "no-end.jpg").write_bytes(jpeg()[:-100])
            daemon.call("configure", fps=50)
            daemon.call("restart")
            daemon.until_state("streaming")
            cured = {"camera": "camera", "cause": "no-such-file", "cured_by": "person"}
            until(lambda: scrape(tier).value("framebus_incidents_total", **cured) == 1, within_s=30)

            def rejected() -> bool:
                now = scrape(tier)
                captured = now.value("framebus_frames_captured_total", **NAME)
                published = now.value("framebus_frames_published_total", **NAME)
                refused = now.sum("framebus_frames_rejected_total", **NAME)
                assert published is not None
                assert captured == published + refused  # at every moment
                return published > 20 and refused > 2

            until(rejected, within_s=30, what="frames and damaged frames")
            until(lambda: scrape(tier).value("framebus_incident_active", **NAME) == 0, within_s=30)
            for source in (
                "http://ada:geheim@127.0.0.1:9/?password=geheim",
                "ffmpeg:-headers 'Authorization: Basic geheim' -i http://ada:geheim@127.0.0.1:9/",
            ):
                daemon.call("configure", source=source)
                kind = source.partition(":")[0]
                until(
                    lambda kind=kind: tier.json("/state")["source"]["kind"] == kind,  # type: ignore[misc]
                    within_s=30,
                )
                daemon.until_state("backoff", "failed", "stalled", "opening")
                assert b"geheim" not in tier.get("/metrics")[2]
                assert b"geheim" not in tier.get("/state")[2]
    finally:
        tier.close()
