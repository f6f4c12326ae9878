"""A camera that rests while nobody watches: real daemons, readers and web tiers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from framebus import FrameReader
from framebus.errors import FrameTimeout

from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess
from tests.programs.web_tier import Stream, WebTier

IDLE = ("--source", "test", "--size", "320x240", "--fps", "25", "--idle-after", "1s")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def daemon(runtime: Path) -> Iterator[DaemonProcess]:
    """One whose camera has just been closed."""
    with DaemonProcess(runtime, *IDLE) as daemon:
        until_off(daemon)
        yield daemon


def until_off(daemon: DaemonProcess) -> None:
    """Wait until the source is really closed."""

    def off() -> bool:
        cause = daemon.status().get("cause") or {}
        return bool(cause.get("code") == "idle")

    until(off, within_s=60, what="the camera is off")


def by_reader(runtime: Path) -> None:
    with FrameReader(runtime=runtime) as reader:
        while reader.next(20.0).age_s > 1:
            continue


def by_web(path: str) -> Callable[[Path], None]:
    def look(runtime: Path) -> None:
        tier = WebTier(runtime)
        try:
            if path == "/stream":
                stream = Stream(tier.port, path).start()
                stream.wait(lambda: stream.frames, "a frame")
                stream.close()
                assert not any(part.placeholder for part in stream.parts), "it waits for the frame"
            else:
                assert tier.get(path)[0] == 200
        finally:
            tier.close()

    return look


def by_command(*command: str) -> Callable[[Path], None]:
    def run(runtime: Path) -> None:
        environ = {**os.environ, "FRAMEBUS_RUNTIME_DIR": str(runtime)}
        words = [sys.executable, "-m", "framebus", *command]
        done = subprocess.run(words, env=environ, capture_output=True, check=True, timeout=60)
        assert done.stdout

    return run


@pytest.mark.parametrize(
    "look",
    [
        pytest.param(by_reader, id="FrameReader"),
        pytest.param(by_web("/stream"), id="a viewer"),
        pytest.param(by_web("/snapshot"), id="a snapshot"),
        pytest.param(by_command("snapshot", "-o", "-"), id="framebus snapshot"),
        pytest.param(by_command("tap", "--count", "3", "--timeout", "20"), id="framebus tap"),
        pytest.param(by_command("ctl", "wake"), id="framebus ctl wake"),
    ],
)
def test_whoever_wants_frames_wakes_it(
    daemon: DaemonProcess, runtime: Path, look: Callable[[Path], None]
) -> None:
    look(runtime)
    status = daemon.until_state("streaming")
    assert (status["demand"]["watched"], status["incident"]) == (True, None)
    assert daemon.call("incidents")["incidents"] == []


def test_a_camera_that_rests_is_told_as_that_everywhere(
    daemon: DaemonProcess, runtime: Path
) -> None:
    environ = {**os.environ, "FRAMEBUS_RUNTIME_DIR": str(runtime)}

    def said(*words: str) -> str:
        command = [sys.executable, "-m", "framebus", *words]
        done = subprocess.run(command, env=environ, capture_output=True, check=True, timeout=60)
        return done.stdout.decode()

    here = [each for each in json.loads(said("ls", "--json")) if each["pid"] == daemon.pid]
    assert [(each["state"], each["cause"]) for each in here] == [("idle", "idle")]
    assert "off, nobody watches" in said("ctl", "status")
    tier = WebTier(runtime)
    try:
        assert tier.get("/readyz")[0] == 200
        scrape = tier.scrape()
        assert scrape.value("framebus_camera_state", camera="camera", state="idle") == 1
        assert scrape.value("framebus_camera_watched", camera="camera") == 0
        assert scrape.value("framebus_incident_active", camera="camera") == 0
    finally:
        tier.close()
    assert daemon.status()["state"] == "idle", "to ask is not to look"


def test_it_rests_again_when_the_lease_has_run_out(daemon: DaemonProcess) -> None:
    daemon.call("wake", seconds=0.5)
    daemon.until_state("streaming")
    until_off(daemon)
    counts = daemon.status()["frames"]
    assert counts["captured"] == counts["published"] + sum(counts["rejected"].values())


def test_a_daemon_that_is_killed_at_rest_has_a_successor_that_rests(
    daemon: DaemonProcess, runtime: Path
) -> None:
    daemon.process.kill()
    daemon.process.wait()
    with DaemonProcess(runtime, *IDLE) as successor:
        status = successor.until_state("idle", "opening", "streaming")
        assert (status["state"], status["frames"]["captured"]) == ("idle", 0)
        by_reader(runtime)
        successor.until_state("streaming")
        successor.process.kill()
        successor.process.wait()
        with DaemonProcess(runtime, *IDLE[:-2]) as always_on:
            always_on.until_state("streaming")


def test_a_new_daemon_hears_of_those_who_watch(daemon: DaemonProcess, runtime: Path) -> None:
    tier = WebTier(runtime)
    stream = Stream(tier.port).start()
    try:
        stream.wait(lambda: stream.frames, "a frame")
        daemon.process.kill()
        daemon.process.wait()
        with DaemonProcess(runtime, *IDLE) as successor:
            seen = len(stream.frames)
            stream.wait(lambda: len(stream.frames) > seen + 100, "it goes on for seconds")
            assert successor.status()["demand"]["watched"]
    finally:
        stream.close()
        tier.close()


def test_a_viewer_that_a_reload_hands_over_keeps_it_on(
    daemon: DaemonProcess, runtime: Path
) -> None:
    tier = WebTier(runtime)
    stream = Stream(tier.port).start()
    try:
        stream.wait(lambda: stream.frames, "a frame")
        (old,) = tier.workers()
        tier.process.send_signal(signal.SIGHUP)
        until(lambda: old not in tier.workers(), within_s=60, what="the old worker is gone")
        gone = time.monotonic()
        stream.wait(lambda: time.monotonic() > gone + 17, "the old one's lease has run out")
        seen = len(stream.frames)
        stream.wait(lambda: len(stream.frames) > seen + 25, "frames come")
        assert daemon.status()["state"] == "streaming"
    finally:
        stream.close()
        tier.close()


def test_a_worker_that_hangs_does_not_keep_it_on(daemon: DaemonProcess, runtime: Path) -> None:
    tier = WebTier(runtime)
    stream = Stream(tier.port).start()
    (worker,) = tier.workers()
    try:
        stream.wait(lambda: stream.frames, "a frame")
        os.kill(worker, signal.SIGSTOP)
        until_off(daemon)
        os.kill(worker, signal.SIGCONT)
        daemon.until_state("streaming")
        seen = len(stream.frames)
        stream.wait(lambda: len(stream.frames) > seen, "frames come again")
    finally:
        os.kill(worker, signal.SIGCONT)
        stream.close()
        tier.close()


def test_a_stop_is_a_stop_whoever_watches(daemon: DaemonProcess, runtime: Path) -> None:
    daemon.call("stop")
    with FrameReader(runtime=runtime) as reader:
        reader.next(20.0)  # of before
        with pytest.raises(FrameTimeout, match="stopped"):
            reader.next(2.0)
    assert daemon.status()["state"] == "stopped"


def test_few_frames_are_captured_in_full_while_nobody_watches(runtime: Path) -> None:
    slow = ("--source", "test", "--size", "320x240", "--fps", "25", "--idle-fps", "2")
    with DaemonProcess(runtime, *slow) as daemon:

        def dropped() -> dict[str, Any]:
            frames = daemon.status().get("frames") or {"rejected": {}}
            return frames if frames["rejected"].get("unwatched", 0) > 50 else {}

        counts = until(dropped, within_s=60)
        assert counts["captured"] == counts["published"] + sum(counts["rejected"].values())
        with FrameReader(runtime=runtime) as reader:
            reader.next(20.0)
            until(lambda: daemon.status()["demand"]["watched"])
            reader.next(20.0)
            before = daemon.status()["frames"]
            for _ in range(50):
                reader.next(20.0)
        counts = daemon.status()["frames"]
        assert counts["captured"] == counts["published"] + sum(counts["rejected"].values())
        assert counts["published"] >= before["published"] + 50
        assert counts["rejected"] == before["rejected"], "none is dropped once somebody watches"
