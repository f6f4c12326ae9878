"""A camera that was pulled out while no daemon lived: its kept descriptor, and what is seen until
it is plugged in again.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

from framebus.cli import polling
from framebus.control.client import ControlClient
from framebus.frame import FrameFlags

from tests.guest.camera.client import Bench, wait_for
from tests.guest.inside.conftest import Plug
from tests.guest.inside.kept_daemon import LIMIT_S, KeptDaemon

KERNELS = ("newer",)


def test_a_camera_that_was_unplugged_while_no_daemon_lived_is_bridged_and_opened_afresh(
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
    with ControlClient(daemon.names, timeout_s=LIMIT_S) as client:
        wanted = {"fallback": "test"}
        polling.configure(client, wanted, clock=time.monotonic, sleep=time.sleep)
    while not is_fallback(daemon):
        continue
    bench.plug(camera.name, "slow", serial="KEPT")
    while is_fallback(daemon):
        continue


def is_fallback(daemon: KeptDaemon) -> bool:
    """Whether the next frame is none of the camera's."""
    return FrameFlags.FALLBACK in daemon.frames(1)[0].flags
