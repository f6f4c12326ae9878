"""`make bench` from end to end: one tiny cell, and nothing about how fast it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from framebus.names import SHARED_MEMORY

from benchmarks import record


def test_one_cell_is_measured_printed_and_saved(tmp_path: Path) -> None:
    before = set(os.listdir(SHARED_MEMORY))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "--out", str(tmp_path)),
            *("--sizes", "640x480", "--viewers", "1", "--servers", "framebus,floor"),
            *("--seconds", "1", "--rounds", "1"),
        ],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    _, (framebus, floor) = record.load(tmp_path / "bench.json")
    assert (framebus.server, floor.server) == ("framebus", "floor")
    for row in (framebus, floor):
        assert row.viewers == 1
        assert row.faults == 0
        assert row.fps_min > 0
        assert row.cpu_us > 0
        assert row.age_p99_ms is not None
    assert framebus.daemon_percent > 0
    assert framebus.to_floor is not None
    assert "| 640x480" in done.stdout
    machine = json.loads((tmp_path / "bench.json").read_text())["machine"]
    assert machine["processor"]
    assert not set(os.listdir(SHARED_MEMORY)) - before
