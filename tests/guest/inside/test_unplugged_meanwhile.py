"""A descriptor that was kept for a daemon whose camera was pulled out before the next one came."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

from tests.guest.camera.client import Bench, wait_for
from tests.guest.inside.conftest import Plug
from tests.guest.inside.kept_daemon import LIMIT_S, KeptDaemon

KERNELS = ("newer",)


def test_a_camera_that_was_unplugged_while_no_daemon_lived_is_opened_afresh(
    bench: Bench, runtime: Path, plug: Plug, stack: ExitStack
) -> None:
    camera = plug("slow", serial="KEPT")
    daemon = KeptDaemon(runtime, camera, stack)
    daemon.frames(2)
    pid = int(str(daemon.call("status")["pid"]))
    os.kill(pid, signal.SIGSTOP)
    camera.unplug()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: daemon.call("status").get("state") == "backoff", "it to notice", LIMIT_S)
    assert daemon.said("is opened afresh") == 1
    bench.plug(camera.name, "slow", serial="KEPT")
    daemon.frames(2)
