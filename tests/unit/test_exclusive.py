"""The device's lock: taken before the device is opened, left after it is closed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from framebus.errors import CameraHeld, UsageError
from framebus.names import device_lock

from capture_daemon.exclusive import ExclusiveSources
from capture_daemon.locks import Locks
from capture_daemon.plan import Plan
from capture_daemon.sources import spec
from capture_daemon.sources.base import Interrupt, SourceError
from tests.unit.test_locks import another_process_holding

NODE = "/dev/null"  # a character device that every machine has


def plan(text: str) -> Plan:
    return Plan(spec.parse(text))


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return device_lock(tmp_path, os.stat(NODE).st_rdev)


@pytest.fixture
def sources(tmp_path: Path) -> ExclusiveSources:
    return ExclusiveSources(locks=Locks(), runtime=tmp_path)


def test_a_device_is_locked_while_it_is_open(sources: ExclusiveSources, lock: Path) -> None:
    interrupt = Interrupt()
    kind, _ = sources.build(plan(f"v4l2:{NODE}"), interrupt)
    interrupt.close()
    assert kind == "v4l2"
    sources.acquire()
    assert lock.exists()
    sources.check(plan(f"v4l2:{NODE}"))  # our own is no obstacle
    sources.release()
    assert not lock.exists()


def test_a_device_of_another_daemon_is_refused_and_its_pid_named(
    sources: ExclusiveSources, lock: Path
) -> None:
    with another_process_holding(lock) as pid:
        with pytest.raises(CameraHeld, match=str(pid)):
            sources.check(plan(f"v4l2:{NODE}"))
        interrupt = Interrupt()
        sources.build(plan(f"v4l2:{NODE}"), interrupt)
        interrupt.close()
        with pytest.raises(SourceError, match=str(pid)) as error:
            sources.acquire()
        assert (error.value.code, error.value.permanent) == ("held", False)


def test_a_source_without_a_device_needs_no_lock(sources: ExclusiveSources, tmp_path: Path) -> None:
    interrupt = Interrupt()
    assert sources.build(plan("test"), interrupt)[0] == "test"
    interrupt.close()
    sources.acquire()
    assert list(tmp_path.iterdir()) == []


def test_a_camera_that_is_not_there_is_no_error_but_a_missing_file_is(
    sources: ExclusiveSources, tmp_path: Path
) -> None:
    sources.check(plan("v4l2:/dev/video-absent"))
    with pytest.raises(UsageError, match="not there"):
        sources.check(plan(f"file:{tmp_path}/absent.mjpeg"))
