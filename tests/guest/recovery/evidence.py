"""What is kept of a case that failed, so that nobody has to make it fail again to see why."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from tests.guest.recovery.stage import Stage

_LOG_BYTES = 6000
_KERNEL_LINES = 15
_INCIDENTS = 3


def evidence(stage: Stage, incidents: Sequence[Mapping[str, Any]], log_from: int) -> dict[str, Any]:
    """Return status, incidents, and the ends of the processes' log and of the kernel's.

    `log_from` is the byte of the log at which the case began.
    """
    with stage.log.open("rb") as log:
        log.seek(max(log_from, stage.log.stat().st_size - _LOG_BYTES))
        tail = log.read().decode(errors="replace")
    kernel = subprocess.run(["dmesg"], capture_output=True, text=True, check=False).stdout
    return {
        "status": stage.daemon.status(),
        "incidents": list(incidents[-_INCIDENTS:]),
        "log": tail.splitlines(),
        "kernel": kernel.splitlines()[-_KERNEL_LINES:],
    }
