"""The fast path does what the slow one does, also where it must not be the one that does it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from capture_daemon.native import library
from tests.fuzz.fast_path import compare
from tests.programs.fast_path_build import SANITIZED, built, sanitizer

ROOT = Path(__file__).parents[2]
FRAMES = 1000
pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("seed", range(4))
def test_any_frames_end_alike_by_both_paths(runtime: Path, seed: int) -> None:
    taken = compare(runtime, library.load(), seed, FRAMES)
    assert FRAMES // 10 < taken < FRAMES // 2, "one path was hardly tried"


def test_any_frames_end_alike_under_sanitizers(tmp_path: Path) -> None:
    sanitized = built(tmp_path, *SANITIZED)
    environ = {
        **os.environ,
        "LD_PRELOAD": sanitizer("libasan.so"),
        "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1",
    }
    command = [sys.executable, "-m", "tests.fuzz.fast_path", "9", "1000", str(sanitized)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "runtime error" not in done.stderr
    assert int(done.stdout) > 100


@pytest.mark.parametrize("suite", ["test_fast_stream.py", "test_fast_sources.py"])
def test_streams_and_sources_pass_under_sanitizers(tmp_path: Path, suite: str) -> None:
    environ = {
        **os.environ,
        "LD_PRELOAD": sanitizer("libasan.so"),
        "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1",
        "FAST_PATH_TESTED": str(built(tmp_path, *SANITIZED)),
    }
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            ROOT / "tests/contract" / suite,
        ],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
