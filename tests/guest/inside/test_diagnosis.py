"""The diagnosis on the real driver: who holds a camera, what the kernel says, what doctor says.

No daemon runs here but in the last test: what it adds is tested on the host.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from capture_daemon.diagnosis import check_cameras, kernel_log
from capture_daemon.diagnosis.diagnosed_device import named, own
from capture_daemon.diagnosis.holders import find
from capture_daemon.diagnosis.machine import Machine
from capture_daemon.diagnosis.records import DiagnosedDevice, Holder, Sign
from capture_daemon.settings import spec
from tests.guest.camera.client import PluggedCamera, wait_for
from tests.guest.inside.conftest import Plug
from tests.guest.inside.handle import Handle
from tests.programs.daemon import DaemonProcess
from tests.programs.holders import holding

KERNELS = ("stable",)

_MAP_A_BUFFER = """
import mmap, sys
from pathlib import Path
from tests.guest.inside.handle import Handle, buffer_of
from tests.programs.holder_program import map_only, wait
handle = Handle(Path(sys.argv[2]))
handle.request(2)
buffer = buffer_of(0)
handle.ioctl("QUERYBUF", buffer)
map_only(handle.fd, buffer.length, mmap.MAP_SHARED, buffer.m.offset)
wait()
"""
_HOW = {
    "descriptor": ("descriptor",),
    "mapping": ("mapping",),
    "dead-leader": ("descriptor", "dead-leader"),
}


def device_of(camera: PluggedCamera) -> DiagnosedDevice:
    found = named(spec.parse(f"v4l2:{camera.wait_node()}"))
    assert found is not None
    return found


def holder_of(device: DiagnosedDevice, pid: int) -> Holder:
    (holder,) = [each for each in find(device.rdev).found if each.pid == pid]
    return holder


def test_a_camera_is_known_by_its_port_whether_by_name_or_by_our_own_descriptor(
    camera: PluggedCamera,
) -> None:
    device = device_of(camera)
    assert device.port == camera.device.name
    assert own() is None
    with Handle(camera.wait_node()):
        assert own() == device


@pytest.mark.parametrize("how", list(_HOW))
def test_a_holder_is_found_and_named_with_the_command_that_ends_it(
    camera: PluggedCamera, how: str
) -> None:
    device = device_of(camera)
    assert find(device.rdev).found == ()
    script = _MAP_A_BUFFER if how == "mapping" else ""
    with holding(how, device.node, script=script) as pid:
        assert holder_of(device, pid).how == _HOW[how]
        (finding,) = check_cameras.held(Machine(device=device.node))
    assert f"process {pid}" in finding.message
    assert finding.remedy == (f"kill -9 {pid}" if how == "dead-leader" else f"kill {pid}")
    assert find(device.rdev).found == ()


def test_the_mapping_of_a_camera_that_was_unplugged_is_still_found(plug: Plug) -> None:
    camera = plug()
    device = device_of(camera)
    with holding("mapping", device.node, script=_MAP_A_BUFFER) as pid:
        camera.unplug()
        wait_for(lambda: not Path(device.node).exists(), "the node to go")
        assert holder_of(device, pid).how == ("mapping",)


def test_an_unplug_stands_in_the_kernels_log_with_its_meaning(plug: Plug) -> None:
    before_ns = time.time_ns()
    camera = plug()
    port = device_of(camera).port
    camera.unplug()
    lines = kernel_log.read(port, before_ns).lines
    assert [line.sign for line in lines][-1] is Sign.GONE
    assert "unplugged" in lines[-1].meaning
    assert any("plugged in" in line.meaning for line in lines)
    assert all(f" {port}" in line.text or "uvcvideo" in line.text for line in lines)


def test_garbled_transfers_stand_there_too_and_are_called_a_bad_cable(plug: Plug) -> None:
    camera = plug()
    device = device_of(camera)
    before_ns = time.time_ns()
    with Handle(Path(device.node)) as handle:
        handle.start()
        handle.dequeue()
        camera.arm("urb-protocol", 5)
        found = wait_for(
            lambda: [
                line
                for line in kernel_log.read(device.port, before_ns).lines
                if line.sign is Sign.CABLE
            ],
            "the kernel to speak of it",
        )
    assert "(-71)" in found[0].text
    assert "bits were garbled on the wire" in found[0].meaning
    findings = check_cameras.kernel(Machine(device=device.node))
    assert any("cable" in finding.message for finding in findings)


def test_another_port_s_troubles_are_not_this_one_s(plug: Plug) -> None:
    first, second = plug(), plug()
    port = device_of(second).port
    before_ns = time.time_ns()
    first.unplug()
    assert kernel_log.read(port, before_ns).lines == ()


def test_a_daemon_names_itself_as_holder_and_an_unplug_as_an_incident_with_the_kernels_word(
    plug: Plug, runtime: Path
) -> None:
    camera = plug(serial="INCIDENT")
    node = camera.wait_node()
    options = ("--source", f"v4l2:{node}", "--size", "320x240")
    with DaemonProcess(runtime, *options) as daemon:
        daemon.until_state("streaming", within_s=120)

        def fresh() -> dict[str, Any]:
            reply = daemon.call("holders", timeout_s=20)
            return reply if reply["fresh"] else {}

        seen = wait_for(fresh, "a look at the holders", 60)
        assert seen["device"] == str(node)
        assert [each["pid"] for each in seen["holders"]] == [seen["pid"]]
        assert seen["holders"][0]["how"] == ["descriptor", "mapping"]
        assert seen["holders"][0]["ours"]
        camera.unplug()

        def evidence() -> list[dict[str, Any]]:
            listed = daemon.call("incidents", timeout_s=20)["incidents"]
            return [
                each for each in listed if each["kernel_log"] and "device-gone" in each["causes"]
            ]

        (incident,) = wait_for(evidence, "the incident's evidence", 60)
    # On a machine this slow, the silence may be noticed first.
    assert incident["cause"]["code"] in ("device-gone", "silent")
    assert incident["state"] == "streaming"
    assert any("unplugged" in line["meaning"] for line in incident["kernel_log"])
    assert incident["holders"] == []
