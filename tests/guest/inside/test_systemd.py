"""systemd as the guest's first process: what deployment is proved with."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.guest.inside.conftest import Plug
from tests.guest.inside.handle import Handle

KERNELS = ("stable+systemd",)


def _systemctl(*arguments: str) -> str:
    done = subprocess.run(
        ["systemctl", *arguments], capture_output=True, text=True, check=False, timeout=100
    )
    return done.stdout.strip()


def test_systemd_runs_and_no_unit_has_failed() -> None:
    assert Path("/proc/1/comm").read_text().strip() == "systemd"
    state = _systemctl("is-system-running", "--wait")
    assert state == "running", _systemctl("--failed")


def test_a_unit_starts_is_restarted_and_stops() -> None:
    unit = Path("/run/systemd/system/guest-check.service")
    unit.write_text("[Service]\nType=exec\nExecStart=/bin/sleep 1000\nRestart=always\n")
    _systemctl("daemon-reload")
    _systemctl("start", unit.name)
    assert _systemctl("is-active", unit.name) == "active"
    before = _systemctl("show", "--property=MainPID", unit.name)
    _systemctl("restart", unit.name)
    assert _systemctl("show", "--property=MainPID", unit.name) != before
    _systemctl("stop", unit.name)
    assert _systemctl("is-active", unit.name) == "inactive"


def test_udev_of_systemd_names_the_camera(plug: Plug) -> None:
    camera = plug("bulk", serial="UNDER-SYSTEMD")
    node = camera.wait_node()
    link = Path("/dev/v4l/by-id/usb-framebus_Framebus_Test_Camera_UNDER-SYSTEMD-video-index0")
    assert link.resolve() == node
    with Handle(node) as handle:
        handle.start()
        assert handle.dequeue().whole
