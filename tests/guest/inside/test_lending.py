"""A camera that is lent is really free for the other program, and comes back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tests.guest.camera.client import wait_for
from tests.guest.inside.conftest import Plug
from tests.guest.inside.kept_daemon import KeptDaemon


def test_another_program_streams_from_a_camera_that_is_lent(
    runtime: Path, plug: Plug, stack: ExitStack
) -> None:
    daemon = KeptDaemon(runtime, plug("slow"), stack)
    daemon.frames(2)
    stream = "v4l2-ctl -d $FRAMEBUS_DEVICE --stream-mmap --stream-count=2 --stream-to=$OUT"
    out = runtime / "out"
    subprocess.run(
        [
            *(sys.executable, "-m", "framebus", "ctl", "lend", "--for", "60s", "--timeout", "20"),
            *("--", "sh", "-c", stream),
        ],
        env={**os.environ, "FRAMEBUS_RUNTIME_DIR": str(runtime), "OUT": str(out)},
        check=True,
        timeout=100,
    )
    assert out.read_bytes().startswith(b"\xff\xd8")
    back_ns = time.monotonic_ns()
    while daemon.frames(1)[0].captured_ns < back_ns:
        continue
    wait_for(lambda: daemon.call("status")["cause"] is None, "all to be well")
