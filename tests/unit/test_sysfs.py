"""USB ports: their names, whether a camera is in one, and the way to one from a device number."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from capture_daemon.devices.sysfs import BadPort, UsbPort, has_video_interface, port_of
from tests.fakes.usb_tree import CAMERA, RDEV, STICK, UsbTree


@pytest.mark.parametrize(
    "name",
    ["", "1", "1-", "1-1.", "../1-1", "1-1/..", "1-1\n", "1-1:1.0", "usb1", "1-1.2\0", "\uff11-1"],
)
def test_what_is_no_port_is_none(name: str) -> None:
    with pytest.raises(BadPort):
        UsbPort(name)


@pytest.mark.parametrize(
    ("name", "hub", "number"), [("1-2", "1", "2"), ("1-1.2", "1-1", "2"), ("2-1.4.3", "2-1.4", "3")]
)
def test_a_port_is_a_number_on_a_hub(name: str, hub: str, number: str) -> None:
    assert (UsbPort(name).hub, UsbPort(name).number) == (hub, number)


def test_a_camera_is_told_by_its_descriptors_however_they_end() -> None:
    assert has_video_interface(CAMERA)
    assert not has_video_interface(STICK)
    for end in range(len(CAMERA)):
        has_video_interface(CAMERA[:end])
    assert not has_video_interface(b"\0" * 50)


def test_a_device_number_leads_to_its_port(tmp_path: Path) -> None:
    tree = UsbTree(tmp_path)
    assert port_of(RDEV, tree.paths) is None
    port = tree.plug("3-1.4")
    assert port_of(RDEV, tree.paths) == port


def test_a_camera_that_is_pulled_out_while_it_is_looked_at_has_no_interfaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = UsbTree(tmp_path).plug()
    shutil.rmtree(port.folder)
    monkeypatch.setattr(Path, "is_dir", lambda self: True)  # a moment ago it was
    assert port.control_interfaces() == []
    assert port.other_driver() == ""
