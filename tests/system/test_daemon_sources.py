"""The daemon with sources and devices that are not well."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from framebus.errors import CommandRefused
from framebus.names import device_lock

from tests.helpers.locks import lock_held_on
from tests.helpers.processes import children
from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess
from tests.samples.pictures import jpeg

LAVFI = "ffmpeg:-re -f lavfi -i testsrc=size=160x120:rate=20"


def test_a_daemon_for_a_device_of_another_daemon_exits_with_75(runtime: Path) -> None:
    lock = device_lock(runtime, os.stat("/dev/null").st_rdev)
    with (
        lock_held_on(lock) as pid,
        DaemonProcess(runtime, "--source", "v4l2:/dev/null") as daemon,
    ):
        assert daemon.ended() == 75
        assert str(pid) in daemon.log()
    assert not daemon.names.lock.exists()


def test_configuring_what_cannot_be_done_changes_nothing(runtime: Path) -> None:
    lock = device_lock(runtime, os.stat("/dev/null").st_rdev)
    with (
        lock_held_on(lock) as pid,
        DaemonProcess(runtime, "--source", "test", "--size", "160x120") as daemon,
    ):
        before = daemon.until_state("streaming")
        for source, message in (
            ("v4l2:/dev/null", str(pid)),
            ("telepathy", "unknown source"),
            ("file:/nowhere.mjpeg", "not there"),
        ):
            with pytest.raises(CommandRefused, match=message):
                daemon.call("configure", source=source, size="320x240")
        after = daemon.status()
        assert after["source"] == before["source"]
        assert after["since_utc_ns"] == pytest.approx(before["since_utc_ns"], abs=1e9)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_stopped_child_is_a_stall_that_control_survives_and_a_restart_cures(
    runtime: Path,
) -> None:
    with DaemonProcess(runtime, "--source", LAVFI) as daemon:
        daemon.until_state("streaming", within_s=30)
        child = children(daemon.pid)[0]
        os.kill(child, signal.SIGSTOP)
        status = daemon.until_state("stalled", "backoff", "opening")
        assert status["cause"]["code"] in ("silent", "opening")
        until(lambda: daemon.status()["state"] == "streaming", within_s=30)
        assert child not in children(daemon.pid)
        daemon.process.terminate()
        assert daemon.ended() == 0
        assert daemon.left_behind() == []


def test_what_a_person_mends_without_a_word_is_taken_up_soon(runtime: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mjpeg"
    with DaemonProcess(runtime, "--source", f"file:{clip}") as daemon:
        status = daemon.until_state("failed")
        assert 0 < status["retry_utc_ns"] - status["since_utc_ns"] <= 5_000_000_000
        clip.write_bytes(jpeg() * 5)
        status = daemon.until_state("streaming")
        assert daemon.call("incidents")["incidents"][0]["cured_by"] in ("reopen", None)


def test_one_state_directory_keeps_the_incidents_of_two_runtime_directories_apart(
    runtime: Path, tmp_path: Path
) -> None:
    other = runtime / "2"
    other.mkdir(mode=0o750)
    with (
        DaemonProcess(runtime, "--source", f"file:{tmp_path / 'none'}") as one,
        DaemonProcess(other, "--source", "test", "--size", "160x120") as two,
    ):
        one.until_state("failed")
        two.until_state("streaming")
        journals = [daemon.call("incidents")["journal"]["path"] for daemon in (one, two)]
        until(lambda: Path(journals[0]).exists(), what="the journal of the one that failed")
        assert journals[0] != journals[1]
        assert two.call("incidents")["incidents"] == []
