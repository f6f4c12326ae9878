from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from capture_daemon.sources.base import SourceError, SourceUnusable
from capture_daemon.v4l2.cameras import CameraPaths, cameras
from capture_daemon.v4l2.discovery import choose, rdev, resolve
from capture_daemon.v4l2.fake import FakeCamera, FakeKernel


class Tree:
    """A /sys and a /dev with cameras in them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths = CameraPaths(root / "sys", root / "dev", lambda node: None)
        (root / "sys/class/video4linux").mkdir(parents=True)
        (root / "sys/drivers/uvcvideo").mkdir(parents=True)
        for folder in ("by-id", "by-path"):
            (root / "dev/v4l" / folder).mkdir(parents=True)

    def plug(self, number: int, port: str, *, serial: str = "", product: str = "0825") -> None:
        usb = self.root / "sys/devices/usb1" / port
        interface = usb / f"{port}:1.0"
        interface.mkdir(parents=True)
        (interface / "driver").symlink_to(self.root / "sys/drivers/uvcvideo")
        (usb / "idVendor").write_text("046d\n")
        (usb / "idProduct").write_text(f"{product}\n")
        if serial:
            (usb / "serial").write_text(f"{serial}\n")
        for index in (0, 1):
            name = f"video{number + index}"
            node = interface / "video4linux" / name
            node.mkdir(parents=True)
            (node / "index").write_text(f"{index}\n")
            (node / "name").write_text("HD Webcam\n")
            (node / "device").symlink_to(interface)
            (self.root / "sys/class/video4linux" / name).symlink_to(node)
            (self.root / "dev" / name).write_text("")
            link = self.root / f"dev/v4l/by-path/pci-usb-{port}-video-index{index}"
            link.symlink_to(f"../../{name}")
        if serial:
            link = self.root / f"dev/v4l/by-id/usb-{serial}-video-index0"
            link.unlink(missing_ok=True)  # udev, too, lets the last of several have the name
            link.symlink_to(f"../../video{number}")

    def node(self, number: int) -> str:
        return str(self.root / f"dev/video{number}")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_machine_without_video4linux_has_no_cameras(tmp_path: Path) -> None:
    assert cameras(CameraPaths(tmp_path, tmp_path)) == []


def test_cameras_are_listed_by_number_with_what_sysfs_tells(tree: Tree) -> None:
    tree.plug(10, "1-1.2", serial="AB12")
    tree.plug(2, "1-3")
    found = cameras(tree.paths)
    assert [camera.node for camera in found] == [tree.node(n) for n in (2, 3, 10, 11)]
    assert [camera.captures for camera in found] == [True, False, True, False]
    camera = found[2]
    assert (camera.name, camera.driver, camera.port) == ("HD Webcam", "uvcvideo", "1-1.2")
    assert (camera.vendor, camera.product, camera.serial) == ("046d", "0825", "AB12")
    assert camera.stable == "usb:046d:0825:AB12"
    assert found[0].stable.endswith("by-path/pci-usb-1-3-video-index0")
    assert camera.document()["by_id"] == camera.by_id


def test_twins_with_one_serial_number_are_told_apart_by_their_port(tree: Tree) -> None:
    tree.plug(0, "1-1", serial="SAME")
    tree.plug(2, "1-2", serial="SAME")
    stable = [camera.stable for camera in cameras(tree.paths) if camera.captures]
    assert len(set(stable)) == 2
    assert all("by-path" in name for name in stable)


def test_udev_knows_better_than_the_index_which_node_captures(tree: Tree) -> None:
    tree.plug(0, "1-1")
    paths = CameraPaths(
        tree.paths.sys,
        tree.paths.dev,
        lambda node: ":capture:" if node == tree.node(1) else ":",
    )
    assert [camera.captures for camera in cameras(paths)] == [False, True]


def test_every_name_of_a_camera_means_its_node(tree: Tree) -> None:
    tree.plug(0, "1-1", product="0001")
    tree.plug(4, "1-2", serial="AB12")
    for name in (
        tree.node(4),
        "video4",
        "usb:046d:0825",
        "usb:046D:0825:AB12",
        "usb-AB12-video-index0",
        "pci-usb-1-2-video-index0",
        str(tree.root / "dev/v4l/by-id/usb-AB12-video-index0"),
    ):
        assert resolve(name, tree.paths) == tree.node(4)


@pytest.mark.parametrize(
    "name", ["/dev/nowhere", "usb:046d:9999", "usb:046d:0825:OTHER", "video9", "usb:xyz"]
)
def test_absent_camera_is_refused_with_what_is_there(tree: Tree, name: str) -> None:
    tree.plug(0, "1-1", serial="AB12")
    with pytest.raises(SourceError, match=r"there is usb:046d:0825:AB12 \(HD Webcam") as absent:
        resolve(name, tree.paths)
    assert absent.value.code == "device-absent"
    assert not absent.value.permanent


def test_no_camera_at_all_is_said(tree: Tree) -> None:
    with pytest.raises(SourceError, match="there is none at all"):
        resolve("usb:046d:0825", tree.paths)


def test_name_that_fits_two_cameras_is_refused(tree: Tree) -> None:
    tree.plug(0, "1-1")
    tree.plug(2, "1-2")
    with pytest.raises(SourceUnusable, match="fits") as ambiguous:
        resolve("usb:046d:0825", tree.paths)
    assert "by-path" in ambiguous.value.remedy


def test_device_number_is_that_of_the_node() -> None:
    assert rdev("/dev/null") == os.stat("/dev/null").st_rdev
    with pytest.raises(SourceError):
        rdev("/dev/nowhere")


def test_auto_takes_mjpeg_before_what_must_be_encoded(
    tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    for number, port in ((0, "1-1"), (2, "1-2"), (4, "1-3"), (6, "1-4")):
        tree.plug(number, port)
    raw: dict[str, dict[tuple[int, int], tuple[int, ...]]] = {"YUYV": {(640, 480): (30,)}}
    kernel = FakeKernel(
        [FakeCamera(tree.node(2), offers=raw), FakeCamera(tree.node(4)), FakeCamera(tree.node(6))]
    )
    present = cameras(tree.paths)
    with caplog.at_level(logging.WARNING):
        assert choose(present, ops=kernel) == present[4].stable
    assert f"{tree.node(0)} is passed over" in caplog.text
    assert choose(present[:4], ops=kernel) == present[2].stable
    assert choose(present[:2], ops=kernel) is None
    assert kernel.descriptors() == 0
