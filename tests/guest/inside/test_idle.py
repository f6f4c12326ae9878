"""A camera that nobody watches is let go of, by its daemon and by whoever keeps it, and wakes."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from framebus.json_parts import object_at

from capture_daemon.diagnosis.holders import find
from tests.guest.camera.client import wait_for
from tests.guest.inside.conftest import Plug
from tests.guest.inside.kept_daemon import LIMIT_S, KeptDaemon


def test_nobody_has_the_device_while_the_camera_rests_and_it_wakes_for_a_reader(
    runtime: Path, plug: Plug, stack: ExitStack
) -> None:
    daemon = KeptDaemon(runtime, plug("slow"), stack, "--idle-after", "2s")
    daemon.frames(1)
    rdev = Path(daemon.node).stat().st_rdev
    daemon_and_keeper = {holder.pid for holder in find(rdev).found}
    assert len(daemon_and_keeper) == 2

    def off() -> bool:
        return object_at(daemon.call("status"), "cause").get("code") == "idle"

    wait_for(off, "the camera to be off", 3 * LIMIT_S)
    assert find(rdev).found == ()
    woken_ns = time.monotonic_ns()
    while daemon.frames(1)[0].captured_ns < woken_ns:
        continue
    assert {holder.pid for holder in find(rdev).found} == daemon_and_keeper
    wait_for(off, "the camera to be off again", 3 * LIMIT_S)
    daemon.kill()
    assert wait_for(lambda: daemon.call("status"), "a successor", LIMIT_S)["state"] == "idle"
    assert find(rdev).found == ()
    daemon.frames(1)
