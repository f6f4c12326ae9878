"""`framebus ls`, and commands that find the camera that runs, with real daemons."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.runtimes import private_runtime
from tests.programs.daemon import DaemonProcess

TEST = ("--source", "test", "--size", "320x240", "--fps", "25")


def framebus(*arguments: str, runtime: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "framebus", *arguments],
        env={**os.environ, "FRAMEBUS_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        text=True,
        errors="replace",  # tap's pictures
        timeout=60,
    )


def listed(runtime: Path) -> list[dict[str, Any]]:
    """What `ls --json` says of the cameras in `runtime`."""
    found = json.loads(framebus("ls", "--json", runtime=runtime).stdout)
    return [each for each in found if each["runtime"] == str(runtime)]


@pytest.mark.slow
def test_the_one_that_runs_is_listed_and_taken_a_stopped_one_too(
    runtime: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "now.jpg"
    with DaemonProcess(runtime, *TEST, name="front") as daemon:
        daemon.until_state("streaming")
        assert listed(runtime) == [
            {
                "camera": "front",
                "state": "streaming",
                "cause": None,
                "source": "test",
                "width": 320,
                "height": 240,
                "fps": 25.0,
                "pid": daemon.pid,
                "runtime": str(runtime),
                "user": listed(runtime)[0]["user"],
                "asked": True,
            }
        ]
        lines = framebus("ls", runtime=runtime).stdout.splitlines()
        assert re.search(rf"^front +streaming +test +320x240@25 +{daemon.pid} ", lines[1])
        assert framebus("snapshot", "-o", str(picture), runtime=runtime).returncode == 0
        assert framebus("tap", "--count", "1", runtime=runtime).returncode == 0
        assert framebus("ctl", "stop", runtime=runtime).returncode == 0
        daemon.until_state("stopped")
        assert "stopped" in framebus("ctl", "status", runtime=runtime).stdout
        assert [each["state"] for each in listed(runtime)] == ["stopped"]
    assert listed(runtime) == []
    assert picture.read_bytes().startswith(b"\xff\xd8")


@pytest.mark.slow
def test_a_tap_that_names_no_camera_waits_for_one_whatever_it_is_called(runtime: Path) -> None:
    command = (sys.executable, "-m", "framebus", "tap", "--count", "1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tap:
        assert tap.stderr is not None
        assert b"waiting: no camera runs" in tap.stderr.readline()
        with DaemonProcess(runtime, *TEST, name="front"):
            stream, said = tap.communicate(timeout=50)
    assert (tap.returncode, stream[:2]) == (0, b"\xff\xd8")
    assert b"1 delivered" in said


@pytest.mark.slow
def test_of_two_a_person_must_say_which_and_what_is_told_can_be_typed(runtime: Path) -> None:
    with (
        DaemonProcess(runtime, *TEST, name="a") as one,
        DaemonProcess(runtime, *TEST, name="b") as two,
    ):
        one.until_state("streaming")
        two.until_state("streaming")
        refused = framebus("ctl", "status", runtime=runtime)
        assert (refused.returncode, refused.stdout) == (os.EX_USAGE, "")
        assert f"2 cameras run in {runtime}: a and b." in refused.stderr
        assert typed(refused.stderr, runtime).returncode == 0
        assert framebus("ctl", "status", "--name", "b", runtime=runtime).returncode == 0


@pytest.mark.slow
def test_a_camera_of_another_directory_is_named_and_what_is_told_can_be_typed(
    runtime: Path,
) -> None:
    with private_runtime() as other, DaemonProcess(other, *TEST, name="front") as daemon:
        daemon.until_state("streaming")
        for command in (("ctl", "status"), ("ctl", "status", "--name", "front")):
            absent = framebus(*command, runtime=runtime)
            assert absent.returncode == os.EX_UNAVAILABLE
            assert "framebus up" in absent.stderr
            assert str(other) in absent.stderr
        told = framebus("ls", runtime=runtime)
        assert str(other) in told.stdout
        (line,) = (each for each in told.stderr.splitlines() if f"in {other}:" in each)
        assert "camera" in typed(line, runtime).stdout


def typed(told: str, runtime: Path) -> subprocess.CompletedProcess[str]:
    """Type the command that a message names."""
    found = re.search(r"`([^`]+ ctl [^`]+)`", told)
    assert found, told
    return subprocess.run(
        ["sh", "-c", found[1]],
        env={**os.environ, "FRAMEBUS_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        text=True,
        timeout=60,
    )
