"""`framebus doctor` as a person runs it, beside daemons in good and in bad states."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path
from typing import Any

from tests.helpers.waiting import until
from tests.programs.daemon import DaemonProcess
from tests.programs.doctor import doctor

SECRET = "hunter2-of-the-test"


def findings(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(doctor("--json", *arguments).stdout)
    return found


def of(check: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    return next(each for each in listed if each["check"] == check)


def test_a_daemon_that_streams_a_pattern_leaves_nothing_wrong(runtime: Path) -> None:
    with DaemonProcess(runtime, "--source", "test") as daemon:
        daemon.until_state("streaming")

        def content() -> bool:
            """On a loaded machine the pattern itself may be late just now."""
            done = doctor()
            assert done.stderr == ""
            return done.returncode == 0 and "camera streams from test" in done.stdout

        until(content, within_s=40)
        assert doctor("--json").stdout.startswith("[")


def test_a_machine_without_a_daemon_is_told_how_to_start_one(runtime: Path) -> None:
    assert "framebus up" in of("daemon", findings())["remedy"]
    named = doctor("--name", "front", "--json")
    assert named.returncode == 1
    assert of("daemon", json.loads(named.stdout))["remedy"] == "framebus up --name front"


def test_a_killed_daemon_and_what_it_left_are_found(runtime: Path) -> None:
    with DaemonProcess(runtime, "--source", "test") as daemon:
        daemon.until_state("streaming")
        daemon.process.kill()
        daemon.ended()
        listed = findings()
    assert of("daemon", listed)["level"] == "wrong"
    assert str(daemon.names.control_socket) in of("directory", listed)["message"]
    assert of("directory", listed)["level"] == "note"


def test_a_daemon_that_hangs_is_named_by_its_pid(runtime: Path) -> None:
    with DaemonProcess(runtime, "--source", "test") as daemon:
        daemon.until_state("streaming")
        os.kill(daemon.pid, 19)  # SIGSTOP
        found = of("daemon", findings("--name", "camera"))
    assert f"process {daemon.pid}, does not answer" in found["message"]
    assert f"kill -9 {daemon.pid}" in found["remedy"]


def test_the_bundle_of_a_daemon_with_a_password_holds_none(runtime: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.tar.gz"
    source = f"http://ada:{SECRET}@127.0.0.1:9/?pwd={SECRET}"
    with DaemonProcess(runtime, "--source", source) as daemon:
        daemon.until_state("backoff")
        done = doctor("--bundle", str(path), SOME_SECRET=SECRET)
        assert done.returncode == 1
        assert "read it before you send it" in done.stderr
        again = doctor("--bundle", str(path))
        assert again.returncode == 64
        assert "is there already" in again.stderr
    with tarfile.open(path) as tar:
        texts = {}
        for member in tar.getmembers():
            file = tar.extractfile(member)
            assert file is not None
            texts[member.name] = file.read().decode()
    assert SECRET not in "".join(texts.values())
    assert json.loads(texts["framebus/status-camera.json"])["state"] == "backoff"
    assert json.loads(texts["framebus/incidents-camera.json"])


def test_a_device_that_is_none_is_a_finding_and_a_bad_name_is_wrong_usage(runtime: Path) -> None:
    found = of("camera", findings("--camera", "/dev/video99"))
    assert "/dev/video99" in found["message"]
    assert doctor("--name", "Not A Name").returncode == 64
