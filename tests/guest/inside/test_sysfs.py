"""The ways of taking a driver or a device away through sysfs, as a recovery would."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.guest.camera.client import PluggedCamera, wait_for
from tests.guest.inside.conftest import Plug
from tests.guest.inside.handle import Handle

DRIVER = Path("/sys/bus/usb/drivers/uvcvideo")
DRIVERS_PROBE = Path("/sys/bus/usb/drivers_probe")


def _frames(camera: PluggedCamera) -> None:
    with Handle(camera.wait_node()) as handle:
        handle.start()
        assert handle.dequeue().whole


def _has_node(camera: PluggedCamera) -> bool:
    return any(camera.device.glob("*/video4linux/video*"))


def test_binding_again_gives_no_node_while_an_old_descriptor_is_open(plug: Plug) -> None:
    camera = plug()
    interface = f"{camera.device.name}:1.0"
    with Handle(camera.wait_node()):
        (DRIVER / "unbind").write_text(interface)
        (DRIVER / "bind").write_text(interface)
        assert (DRIVER / interface).exists()
        assert not _has_node(camera)
    wait_for(lambda: not _has_node(camera), "the node to go")
    (DRIVER / "unbind").write_text(interface)
    (DRIVER / "bind").write_text(interface)
    _frames(camera)


def test_an_interface_that_is_authorized_again_waits_for_a_probe(plug: Plug) -> None:
    camera = plug()
    interfaces = [camera.device / f"{camera.device.name}:1.{number}" for number in (0, 1)]
    for interface in interfaces:
        (interface / "authorized").write_text("0")
    wait_for(lambda: not _has_node(camera), "the node to go")
    for interface in reversed(interfaces):
        (interface / "authorized").write_text("1")
    assert not _has_node(camera)
    DRIVERS_PROBE.write_text(interfaces[0].name)
    _frames(camera)


@pytest.mark.parametrize("held", [False, True], ids=["closed", "open"])
@pytest.mark.parametrize("switch", ["authorized", "bConfigurationValue"])
def test_a_device_that_is_switched_off_and_on_comes_back(
    plug: Plug, switch: str, held: bool
) -> None:
    camera = plug()
    node = camera.wait_node()
    with Handle(node) as handle:
        if not held:
            handle.close()
        (camera.device / switch).write_text("0")
        wait_for(lambda: not _has_node(camera), "the node to go")
        if held:
            assert handle.attempt("G_FMT") == "ENODEV"
        (camera.device / switch).write_text("1")
        assert (camera.wait_node() != node) == held
        _frames(camera)


def test_a_port_that_is_disabled_takes_the_device_until_it_is_plugged_in_again(plug: Plug) -> None:
    camera = plug()
    port = camera.device.name.partition("-")[2]
    switch = Path(f"/sys/bus/usb/devices/1-0:1.0/usb1-port{port}/disable")
    with Handle(camera.wait_node()) as handle:
        switch.write_text("1")
        wait_for(lambda: not _has_node(camera), "the node to go")
        assert handle.attempt("G_FMT") == "ENODEV"
    switch.write_text("0")
    # vhci_hcd's ports do not report a connection again when they get power back; a real hub's do.
    camera.do("unplug")
    _frames(plug())


def test_the_driver_is_not_removed_while_a_stream_runs(plug: Plug) -> None:
    camera = plug()
    with Handle(camera.wait_node()) as handle:
        handle.start()
        handle.dequeue()
        removed = subprocess.run(["rmmod", "uvcvideo"], capture_output=True, text=True, check=False)
        assert removed.returncode
        assert "in use" in removed.stderr
        assert handle.dequeue().whole
