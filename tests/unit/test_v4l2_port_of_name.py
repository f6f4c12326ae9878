"""The port of a camera that has no node, by the name that a person gave it."""

from __future__ import annotations

from pathlib import Path

import pytest

from capture_daemon.devices.sysfs import UsbPort
from capture_daemon.sources.base import Interrupt, Request
from capture_daemon.v4l2 import source
from capture_daemon.v4l2.port_of_name import port_of_name
from tests.fakes.usb_tree import STICK, UsbTree

BY_PATH = "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-video-index0"
BY_ID = "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_SN_1-video-index0"


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    return UsbTree(tmp_path)


def found(tree: UsbTree, name: str) -> str:
    port = port_of_name(name, tree.paths)
    return port.name if port else ""


def behind(tree: UsbTree, port: UsbPort, controller: str) -> None:
    """Put the device where the kernel has it: its bus is a child of its host controller."""
    bus = tree.paths.sys / "devices/pci0000:00" / controller / f"usb{port.name[0]}"
    bus.mkdir(parents=True)
    port.folder.rename(bus / port.name)
    port.folder.symlink_to(bus / port.name)


@pytest.mark.parametrize("name", ["usb:046d:082d:SN 1", "usb:046D:082D:SN 1", "usb:046d:082d"])
def test_a_deauthorised_camera_is_found_by_vendor_product_and_serial(
    tree: UsbTree, name: str
) -> None:
    tree.deauthorise(tree.plug("1-1.2", serial="SN 1"))
    assert found(tree, name) == "1-1.2"


def test_of_twins_one_is_found_by_its_serial_and_none_without_it(tree: UsbTree) -> None:
    for port, serial in (("1-1.2", "A"), ("1-1.3", "B")):
        tree.deauthorise(tree.plug(port, serial=serial))
    assert found(tree, "usb:046d:082d:B") == "1-1.3"
    assert found(tree, "usb:046d:082d") == ""
    assert found(tree, "usb:046d:082d:C") == ""


def test_twins_with_one_serial_are_not_guessed_at(tree: UsbTree) -> None:
    for port in ("1-1.2", "1-1.3"):
        tree.plug(port, serial="0001")
    assert found(tree, "usb:046d:082d:0001") == ""


def test_what_is_no_camera_is_never_found(tree: UsbTree) -> None:
    tree.plug("1-1.2", STICK, serial="A")
    assert found(tree, "usb:046d:082d:A") == ""


@pytest.mark.parametrize("name", [BY_PATH, BY_PATH.rpartition("/")[2]])
def test_a_by_path_name_is_a_place_on_a_host_controller(tree: UsbTree, name: str) -> None:
    behind(tree, tree.plug("1-1.2"), "0000:00:14.0")
    behind(tree, tree.plug("2-1.2"), "0000:00:1a.0")
    assert found(tree, name) == "1-1.2"
    assert found(tree, name.replace("0:1.2:", "0:1.3:")) == ""
    assert found(tree, name.replace("0000:00:14.0", "0000:00:1b.0")) == ""


@pytest.mark.parametrize(
    ("prefix", "controller"),
    [
        ("platform-vhci_hcd.0-usb-0", "vhci_hcd.0"),
        ("platform-xhci-hcd.1.auto-usbv2-0", "xhci-hcd.1.auto"),
        ("platform-fd500000.pcie-pci-0000:01:00.0-usb-0", "0000:01:00.0"),
    ],
)
def test_by_path_names_of_other_machines_are_understood(
    tree: UsbTree, prefix: str, controller: str
) -> None:
    behind(tree, tree.plug("1-1.2"), controller)
    assert found(tree, f"{prefix}:1.2:1.0-video-index0") == "1-1.2"


def test_a_by_id_name_is_what_udev_makes_of_the_devices_words(tree: UsbTree) -> None:
    port = tree.plug(serial="SN 1")
    (port.folder / "product").write_text("HD Pro  Webcam C920\n")
    assert found(tree, BY_ID) == "1-1.2"  # without a manufacturer it is the vendor's number
    (port.folder / "manufacturer").write_text("Caf\u00e9 & Co.\n")
    assert found(tree, BY_ID) == ""
    assert found(tree, BY_ID.replace("046d", "Caf\u00e9___Co.")) == "1-1.2"


@pytest.mark.parametrize(
    "name", ["/dev/video0", "video0", "/dev/framebus/front", "usb:046d", "usb:046d:082d:", ""]
)
def test_a_name_that_tells_no_camera_finds_none(tree: UsbTree, name: str) -> None:
    tree.plug()
    assert found(tree, name) == ""


@pytest.mark.parametrize("named", [True, False])
def test_only_a_camera_that_a_person_named_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, tree: UsbTree, named: bool
) -> None:
    port = tree.plug()
    monkeypatch.setattr(source, "port_of_name", lambda device: port)
    interrupt = Interrupt()
    camera = source.V4L2Source("usb:046d:082d", Request(), interrupt, named=named)
    interrupt.close()
    assert camera.port == (port if named else None)


def test_without_usb_there_is_nothing_to_find(tmp_path: Path) -> None:
    tree = UsbTree(tmp_path)
    tree.devices.rename(tmp_path / "elsewhere")
    assert found(tree, "usb:046d:082d") == ""
