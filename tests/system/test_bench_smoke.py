"""`make bench` from end to end: one tiny cell, and nothing about how fast it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.errors import CameraAbsent, RingError
from framebus.names import SHARED_MEMORY
from framebus.ring.reader import RingReader

from benchmarks import record


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A place for temporary files, short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="fb-") as path:
        yield Path(path)


def orphans(before: set[str]) -> list[str]:
    """Return segments that are new, and whose daemon is gone: those of other tests' are alive."""
    found = []
    for name in set(os.listdir(SHARED_MEMORY)) - before:
        try:
            ring = RingReader.attach(SHARED_MEMORY / name)
        except (RingError, CameraAbsent):
            continue
        if not Path(f"/proc/{ring.writer_pid}").exists():
            found.append(name)
        ring.close()
    return found


def test_one_cell_is_measured_printed_and_saved(tmp_path: Path, temporary: Path) -> None:
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
        env={**os.environ, "TMPDIR": str(temporary)},
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
    assert not orphans(before)
    assert not list(temporary.iterdir())
