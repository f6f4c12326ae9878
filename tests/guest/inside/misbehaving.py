"""Tests that take their guest down with them; test_group.py runs them, nobody else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

KERNELS = ("stable",)


def test_before() -> None:
    assert Path("/run/job/start").exists()


def test_that_panics() -> None:
    Path("/proc/sysrq-trigger").write_text("c")
    signal.pause()


def test_between() -> None:
    assert Path("/run/job/start").exists()


def test_that_hangs() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def test_that_ends_the_interpreter() -> None:
    os._exit(3)
