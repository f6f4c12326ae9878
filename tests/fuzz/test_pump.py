"""The pump does what Python does, also where it must not be the one that does it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.pump import compare
from tests.programs.fast_path_build import SANITIZED, built, sanitizer
from web_workers.native.library import PATH

STEPS = 100


@pytest.mark.parametrize("seed", range(3))
def test_any_frames_reach_viewers_alike(runtime: Path, tmp_path: Path, seed: int) -> None:
    assert compare((runtime, tmp_path), seed, STEPS) > STEPS // 2, "it was hardly tried"


def test_any_frames_reach_viewers_alike_under_sanitizers(tmp_path: Path) -> None:
    sanitized = built(tmp_path, *SANITIZED, path=PATH)
    environ = {
        **os.environ,
        "LD_PRELOAD": sanitizer("libasan.so"),
        "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1",
    }
    command = [sys.executable, "-m", "tests.fuzz.pump", "9", "60", str(sanitized)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=55)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "runtime error" not in done.stderr
    assert int(done.stdout) > 30
