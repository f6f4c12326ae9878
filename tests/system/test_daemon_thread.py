"""A capture thread that a bug has ended ends the daemon, so that a new one can capture."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.programs.daemon import DaemonProcess

DYING = """
import runpy, sys
from capture_daemon.capturing.thread import CaptureThread

def die(self):
    sys.exit()  # ends this thread only

CaptureThread.run = die
runpy.run_module("capture_daemon", run_name="__main__")
"""


def test_a_dead_capture_thread_is_a_loud_end_that_leaves_nothing(runtime: Path) -> None:
    dying = (sys.executable, "-c", DYING)
    with DaemonProcess(runtime, "--source", "test", command=dying) as daemon:
        assert daemon.ended() not in (0, 75)
        assert "the capture thread has ended" in daemon.log()
        assert daemon.left_behind() == []
