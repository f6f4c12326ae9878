"""A real daemon that loses its frames: the incident in its journal, its replies and its events."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zmq
from framebus.names import incident_journal

from capture_daemon.diagnosis.journal import Journal
from tests.helpers.waiting import until
from tests.helpers.zeromq import own_context, subscribed
from tests.programs.daemon import DaemonProcess
from tests.samples.pictures import jpeg


@pytest.fixture
def state() -> Path:
    """The state directory that the fixture `runtime` has made."""
    return Path(os.environ["FRAMEBUS_STATE_DIR"])


def framebus(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "framebus", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def written(state: Path, runtime: Path) -> list[dict[str, Any]]:
    return Journal(incident_journal(state, runtime, "camera")).read()


def test_a_source_that_fails_and_comes_back_leaves_one_whole_incident(
    runtime: Path, state: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mjpeg"
    context = own_context()
    with DaemonProcess(runtime, "--source", f"file:{clip}") as daemon:
        socket = subscribed(context, daemon.names.events_socket)
        try:
            daemon.until_state("failed")
            (begun,) = until(lambda: written(state, runtime))
            assert begun["cause"]["code"] == "no-such-file"
            assert begun["ended_utc_ns"] is None
            assert daemon.status()["incident"] == begun["id"]
            clip.write_bytes(jpeg() * 5)
            until(lambda: daemon.call("restart")["state"] != "failed")
            daemon.until_state("streaming")
            until(lambda: daemon.status()["incident"] is None)
            (ended,) = until(lambda: [e for e in written(state, runtime) if e["ended_utc_ns"]])
            assert ended["id"] == begun["id"]
            assert ended["cured_by"] == "person"
            assert ended["away_s"] > 0
            (told,) = daemon.call("incidents")["incidents"]
            assert told == ended

            def heard() -> bool:
                event = json.loads(socket.recv(zmq.DONTWAIT)) if socket.poll(100) else {}
                return bool(event.get("event") == "incident" and event["ended_utc_ns"])

            until(heard, what="the event of its end")
        finally:
            socket.close()
            context.term()
        text = framebus("ctl", "incidents").stdout
    assert "without frames: cannot read" in text
    assert "cured by  a person" in text


def test_the_next_daemon_knows_what_the_killed_one_saw(
    runtime: Path, state: Path, tmp_path: Path
) -> None:
    with DaemonProcess(runtime, "--source", f"file:{tmp_path / 'none'}") as daemon:
        daemon.until_state("failed")
        until(lambda: written(state, runtime))
        daemon.process.kill()
        daemon.ended()
    with incident_journal(state, runtime, "camera").open("ab") as file:
        file.write(b'{"id": "cut off')
    with DaemonProcess(runtime, "--source", "test") as daemon:
        daemon.until_state("streaming")
        (told,) = until(lambda: daemon.call("incidents")["incidents"])
        assert told["cause"]["code"] == "no-such-file"
        assert "the daemon ended before frames came back" in told["notes"]
        assert daemon.call("incidents")["now"] is None
        assert "over" in framebus("ctl", "incidents").stdout


def test_a_state_directory_that_cannot_be_written_harms_nothing(
    runtime: Path, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    environ = {"FRAMEBUS_STATE_DIR": str(blocked / "state")}
    source = f"file:{tmp_path / 'none'}"
    with DaemonProcess(runtime, "--source", source, environ=environ) as daemon:
        daemon.until_state("failed")
        until(lambda: daemon.call("incidents")["journal"]["trouble"])
        for _ in range(3):
            daemon.call("restart")
        daemon.call("configure", source="test")
        daemon.until_state("streaming")
        until(lambda: daemon.call("incidents")["journal"]["unwritten"] > 1)
        assert len(daemon.call("incidents")["incidents"]) == 1
        assert daemon.log().count("incidents are not kept in") == 1


def test_a_source_without_a_device_has_no_holders(runtime: Path) -> None:
    with DaemonProcess(runtime, "--source", "test") as daemon:
        daemon.until_state("streaming")
        refused = framebus("ctl", "holders")
        assert refused.returncode == 69
        assert "test has no device" in refused.stderr


def test_a_camera_that_is_not_there_is_said_to_be_held_by_nobody(runtime: Path) -> None:
    with DaemonProcess(runtime, "--source", "v4l2:/dev/no-such-camera") as daemon:
        daemon.until_state("backoff", "failed")
        assert "not there now" in framebus("ctl", "holders").stdout
