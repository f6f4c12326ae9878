"""systemd as the guest's first process, before anything is installed: see test_units.py."""

from __future__ import annotations

import subprocess
from pathlib import Path

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
