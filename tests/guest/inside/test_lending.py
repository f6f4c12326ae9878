"""A camera that is lent is really free for the other program, and comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.guest.inside.conftest import Plug
from tests.guest.inside.kept import KeptDaemon


def test_another_program_streams_from_a_camera_that_is_lent(
    runtime: Path, plug: Plug, stack: ExitStack
) -> None:
    daemon = KeptDaemon(runtime, plug("slow"), stack)
    before = daemon.frames(2)[-1]
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
    after = daemon.frames(2)[-1]
    assert after.captured_ns > before.captured_ns
    assert daemon.call("status")["cause"] is None
