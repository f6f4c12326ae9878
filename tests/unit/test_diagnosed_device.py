"""Which device a diagnosis is about: found by its number, under whatever name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from capture_daemon.diagnosis.diagnosed_device import named, own
from capture_daemon.diagnosis.records import DiagnosedDevice
from capture_daemon.settings.spec import parse
from capture_daemon.v4l2.cameras import CameraPaths
from tests.fakes.machine import Bench

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mknod")
RDEV = os.makedev(81, 250)


@pytest.fixture
def paths(tmp_path: Path) -> CameraPaths:
    bench = Bench(tmp_path)
    node = bench.plug(3, "1-1.2")
    node.unlink()
    os.mknod(node, 0o20600, RDEV)
    return CameraPaths(sys=tmp_path / "sys", dev=tmp_path / "dev", capabilities=lambda node: None)


@needs_root
def test_a_name_leads_to_the_device_and_its_port(paths: CameraPaths) -> None:
    expected = DiagnosedDevice(str(paths.dev / "video3"), RDEV, "1-1.2")
    assert named(parse("v4l2:usb:046d:0825"), paths) == expected
    assert named(parse(f"v4l2:{paths.dev / 'video3'}"), paths) == expected


@needs_root
def test_a_device_that_is_open_is_found_whatever_its_name_leads_to_now(
    paths: CameraPaths, tmp_path: Path
) -> None:
    descriptors = tmp_path / "fd"
    descriptors.mkdir()
    (descriptors / "0").symlink_to("/dev/null")
    (descriptors / "1").symlink_to(tmp_path / "closed meanwhile")
    assert own(paths, descriptors) is None
    (descriptors / "2").symlink_to(paths.dev / "video3")
    assert own(paths, descriptors) == DiagnosedDevice(str(paths.dev / "video3"), RDEV, "1-1.2")


@needs_root
def test_the_fallbacks_device_is_not_taken_for_the_cameras(
    paths: CameraPaths, tmp_path: Path
) -> None:
    descriptors = tmp_path / "fd"
    descriptors.mkdir()
    os.mknod(descriptors / "1", 0o20600, RDEV + 1)
    assert own(paths, descriptors, apart_from=RDEV + 1) is None
    (descriptors / "2").symlink_to(paths.dev / "video3")
    assert own(paths, descriptors, apart_from=RDEV + 1) == named(parse("v4l2:usb:046d:0825"), paths)


@needs_root
def test_one_that_is_open_and_was_unplugged_has_a_number_and_nothing_else(
    paths: CameraPaths, tmp_path: Path
) -> None:
    descriptors = tmp_path / "fd"
    descriptors.mkdir()
    os.mknod(descriptors / "2", 0o20600, RDEV + 1)
    assert own(paths, descriptors) == DiagnosedDevice("", RDEV + 1, "")


def test_what_names_no_device_of_ours_is_no_device_to_diagnose(tmp_path: Path) -> None:
    paths = CameraPaths(sys=tmp_path, dev=tmp_path, capabilities=lambda node: None)
    assert named(None, paths) is None
    assert named(parse("test"), paths) is None
    assert named(parse("v4l2:/dev/no-such-camera"), paths) is None
