"""The daemon on the real driver: it goes to the rung that is needed, and no higher.

On one kernel: what the rungs themselves do is seen on both, in test_rungs.py.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from framebus.errors import FramebusError

from tests.guest.camera.client import PluggedCamera, wait_for
from tests.guest.inside.conftest import Plug
from tests.helpers.processes import alive
from tests.programs.daemon import DaemonProcess

KERNELS = ("newer",)
DRIVER = Path("/sys/bus/usb/drivers/uvcvideo")
LIMIT_S = 90.0


@contextlib.contextmanager
def capturing(device: str | Path) -> Iterator[DaemonProcess]:
    """A daemon, which has a while to come up."""
    with tempfile.TemporaryDirectory(prefix="fb-") as runtime:
        options = ("--source", f"v4l2:{device}", "--size", "320x240", "--ring-size", "4M")
        with DaemonProcess(Path(runtime), *options) as process:
            wait_for(lambda: process.names.control_socket.exists(), "the daemon", LIMIT_S)
            yield process


@pytest.fixture
def daemon(plug: Plug) -> Iterator[tuple[DaemonProcess, PluggedCamera]]:
    camera = plug("bulk", serial="RUNG2")
    with capturing(camera.wait_node()) as process:
        until_settled(process)
        yield process, camera
        assert alive(process.pid)


def until_settled(daemon: DaemonProcess) -> dict[str, Any]:
    """Wait for new frames, and for the failures to be forgotten."""
    before = status(daemon).get("frames", {}).get("published", 0)

    def settled() -> dict[str, Any]:
        now = status(daemon)
        well = now.get("state") == "streaming" and not now["attempts"]
        return now if well and now["frames"]["published"] > before + 10 else {}

    return wait_for(settled, "frames", LIMIT_S)


def status(daemon: DaemonProcess) -> dict[str, Any]:
    """The status document; {} while the daemon, or this machine, is too busy to tell."""
    try:
        return daemon.call("status", timeout_s=20.0)
    except FramebusError:
        return {}


def until_away(daemon: DaemonProcess) -> None:
    wait_for(lambda: status(daemon).get("state", "streaming") != "streaming", "the stall", LIMIT_S)


def test_the_daemon_cures_a_wedged_camera_by_a_usb_reset(
    daemon: tuple[DaemonProcess, PluggedCamera],
) -> None:
    process, camera = daemon
    camera.arm("wedged")
    until_away(process)
    until_settled(process)
    log = process.log()
    assert "uvcvideo bound to" in log
    assert "was reset" in log
    assert log.index("uvcvideo bound to") < log.index("was reset")


def test_the_daemon_cures_a_camera_that_was_unbound_from_outside(
    daemon: tuple[DaemonProcess, PluggedCamera],
) -> None:
    process, camera = daemon
    (DRIVER / "unbind").write_text(f"{camera.device.name}:1.0")
    until_away(process)
    until_settled(process)
    assert "uvcvideo bound to" in process.log()


def test_the_daemon_cures_a_camera_that_was_deauthorised_from_outside(
    daemon: tuple[DaemonProcess, PluggedCamera],
) -> None:
    process, camera = daemon
    (camera.device / "authorized").write_text("0")
    until_away(process)
    until_settled(process)
    assert "authorised again" in process.log()


def test_a_daemon_that_starts_while_its_camera_is_deauthorised_authorises_it(plug: Plug) -> None:
    camera = plug("bulk", serial="RUNG3")
    node = camera.wait_node()
    (camera.device / "authorized").write_text("0")
    wait_for(lambda: not node.exists(), "the node to go")
    with capturing("usb:1209:0001:RUNG3") as process:
        until_settled(process)
        assert "authorised again" in process.log()


def test_a_person_resets_a_camera_that_streams(
    daemon: tuple[DaemonProcess, PluggedCamera],
) -> None:
    process, _ = daemon
    assert process.call("reset", timeout_s=20.0, rung="usb-reset")["state"] == "backoff"
    until_settled(process)
    assert "was reset" in process.log()


def test_a_camera_that_comes_back_under_another_number_is_opened_by_its_serial(
    daemon: tuple[DaemonProcess, PluggedCamera], plug: Plug
) -> None:
    process, camera = daemon
    node = camera.wait_node()
    kept = os.open(node, os.O_RDWR)  # keeps the number from being given again
    camera.unplug()
    until_away(process)
    again = plug("bulk", serial="RUNG2").wait_node()
    assert again != node
    assert until_settled(process)["source"]["device"].startswith(f"{again} ")
    os.close(kept)
