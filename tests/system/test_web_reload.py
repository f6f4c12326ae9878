"""Redeploys of a real gunicorn: whoever watches stays, whatever becomes of a worker."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import framebus
import pytest

import web_workers
from tests.bus import Bus
from tests.processes import alive
from tests.system.webtier import Stream, WebTier, with_a_frame
from tests.waiting import until

OF = {"camera": "camera", "kind": "stream"}


@pytest.fixture
def bus(runtime: Path) -> Iterator[Bus]:
    bus = Bus(runtime)
    yield bus
    bus.close()


class Watched:
    """A web tier with viewers."""

    def __init__(self, runtime: Path, viewers: int, **options: Any) -> None:
        self.tier = WebTier(runtime, **options)
        self.viewers = [Stream(self.tier.port).start() for _ in range(viewers)]
        try:
            self.all_see_more()
        except BaseException:
            self.close()
            raise

    def all_see_more(self, frames: int = 3) -> None:
        """Wait until each viewer has got so many more frames; fail if one lost its connection."""
        goals = [(viewer, len(viewer.frames) + frames) for viewer in self.viewers]
        for viewer, goal in goals:
            viewer.wait(lambda viewer=viewer, goal=goal: len(viewer.frames) >= goal, "more frames")  # type: ignore[misc]
            viewer.check()
            sequences = [part.sequence for part in viewer.frames]
            assert sequences == sorted(sequences)

    def after(self, act: Callable[[], object], workers: int) -> None:
        """Act, and wait until as many workers are there as there should be, all of them new."""
        old = self.tier.workers()
        act()

        def replaced() -> bool:
            now = self.tier.workers()
            return len(now) == workers and not set(now) & set(old)

        until(replaced, within_s=60, what="the workers are replaced")
        self.all_see_more()

    def reload(self) -> None:
        self.tier.process.send_signal(signal.SIGHUP)

    def count(self, name: str, **labels: str) -> float:
        return self.tier.scrape().value(f"framebus_{name}", **labels) or 0.0

    def per_worker(self) -> dict[int, list[str]]:
        """The peers of the viewers of each worker, by asking until all have answered."""
        found: dict[int, list[str]] = {}

        def all_answered() -> bool:
            told = self.tier.json("/state")["viewers"]
            found[told["worker"]] = [viewer["peer"] for viewer in told["list"]]
            return set(self.tier.workers()) <= set(found)

        until(all_answered, within_s=60, what="each worker has answered")
        return {worker: found[worker] for worker in self.tier.workers()}

    def close(self) -> None:
        for viewer in self.viewers:
            viewer.close()
        self.tier.close()


@contextlib.contextmanager
def watched(runtime: Path, viewers: int, **options: Any) -> Iterator[Watched]:
    watched = Watched(runtime, viewers, **options)
    try:
        yield watched
    finally:
        watched.close()


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


def test_a_part_that_was_under_way_goes_on_and_sums_hold(runtime: Path, bus: Bus) -> None:
    tier = WebTier(runtime)
    slow = with_a_frame(tier, bus, receive_buffer=4096)
    quick = with_a_frame(tier, bus, "/stream?fps=10").start()
    first = {slow.frames[0].sequence, quick.frames[0].sequence}
    try:
        bus.start(size=800_000)  # more than a socket holds
        until(
            lambda: any(viewer["skipped"] > 3 for viewer in tier.json("/state")["viewers"]["list"]),
            within_s=30,
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

        until(counted, within_s=30, what="sent + skipped = published since joining")
    finally:
        slow.close()
        quick.close()
        tier.close()


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


def test_a_reload_runs_new_code_templates_and_static_files_under_the_same_viewers(
    runtime: Path, bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _copied(tmp_path / "source")
    monkeypatch.chdir(source)  # where gunicorn looks first
    monkeypatch.setenv("PYTHONPATH", str(source))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    bus.start()
    with watched(runtime, 3) as there:
        assert there.tier.json("/healthz") == {"ok": True}
        # Settings are what the master itself has imported.
        _edit(source / "web_workers/settings.py", "\n\n@data", '\n\nNEW = "new"\n\n\n@data')
        routes = source / "web_workers/pages/routes.py"
        _edit(routes, "settings import Cameras", "settings import NEW, Cameras")
        _edit(routes, 'jsonify({"ok": True})', 'jsonify({"ok": NEW})')
        parts = source / "web_workers/wire/parts.py"
        _edit(parts, r"X-Sequence: %d\r\n", r"X-New: 1\r\nX-Sequence: %d\r\n")
        _edit(source / "web_workers/templates/index.html", "<body", '<body data-new="1"')
        _edit(source / "web_workers/static/page.css", "", "/* new */")
        assert there.tier.json("/healthz") == {"ok": True}
        there.after(there.reload, workers=1)
        assert there.tier.json("/healthz") == {"ok": "new"}
        for viewer in there.viewers:
            viewer.wait(lambda viewer=viewer: "X-New" in viewer.parts[-1].headers, "new parts")  # type: ignore[misc]
            assert "X-New" not in viewer.parts[0].headers
        assert b'<body data-new="1"' in there.tier.get("/")[2]
        assert there.tier.get("/static/page.css")[2].startswith(b"/* new */")


def test_code_that_would_not_start_is_found_before_a_reload(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _copied(tmp_path / "source")
    monkeypatch.chdir(source)
    monkeypatch.setenv("PYTHONPATH", str(source))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("FRAMEBUS_RUNTIME_DIR", str(runtime))
    with socket.create_server(("127.0.0.1", 0)) as taken:  # as by the tier that is to be reloaded
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-m", "web_workers", "--check", "--bind", bind]
        sound = subprocess.run(command, capture_output=True, text=True, timeout=60)
        _edit(source / "web_workers/feeds/feed.py", "import select", "import no_such_module")
        broken = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (sound.returncode, sound.stdout) == (0, "framebus web: options and code are sound\n")
    assert broken.returncode == os.EX_SOFTWARE
    assert "no_such_module" in broken.stderr
    assert "Traceback" not in broken.stderr


def _copied(target: Path) -> Path:
    """Return a folder with copies of the packages that the web tier is made of."""
    for package in (web_workers, framebus):
        origin = Path(str(package.__file__)).parent
        shutil.copytree(
            origin, target / origin.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    return target


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
