"""`make bench` from end to end, as small as can be, and nothing about how fast it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.errors import NoPermission, RingError
from framebus.names import SHARED_MEMORY
from framebus.ring import layout
from framebus.ring.reader import RingReader

from benchmarks import record
from benchmarks.few_rows import FewRow
from benchmarks.figures import Row
from benchmarks.results import CaptureRow, LongRun, MemoryRow, SourceRow
from benchmarks.snapshot_figures import SnapshotsRow


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
            ring = RingReader.open(SHARED_MEMORY / name, os.geteuid())
        except (RingError, NoPermission, OSError):
            continue
        if not Path(f"/proc/{ring._words[layout.W_PID]}").exists():
            found.append(name)
        ring.close()
    return found


def bench(out: Path, temporary: Path, *options: str) -> str:
    """Run the benchmark with single short measurements; return what it printed."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "--out", str(out), "--sizes", "640x480"),
            *("--seconds", "1", "--rounds", "1", *options),
        ],
        capture_output=True,
        text=True,
        timeout=50,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_one_cell_is_measured_printed_and_saved(tmp_path: Path, temporary: Path) -> None:
    before = set(os.listdir(SHARED_MEMORY))
    grid = ("--only", "grid", "--viewers", "1", "--servers", "framebus,floor")
    said = bench(tmp_path, temporary, *grid)
    _, (framebus, floor) = record.load(tmp_path / "bench.json", Row)
    assert (framebus.server, floor.server) == ("framebus", "floor")
    for row in (framebus, floor):
        assert row.viewers == 1
        assert row.faults == 0
        assert row.fps_min > 0
        assert row.cpu_us > 0
        assert row.age_p99_ms is not None
    assert framebus.daemon_percent > 0
    assert framebus.to_floor is not None
    assert "| 640x480" in said
    machine = json.loads((tmp_path / "bench.json").read_text())["machine"]
    assert machine["processor"]
    assert not orphans(before)
    assert not list(temporary.iterdir())


def test_every_process_is_told_of_and_only_who_maps_the_ring_has_a_part_of_it(
    tmp_path: Path, temporary: Path
) -> None:
    before = set(os.listdir(SHARED_MEMORY))
    said = bench(tmp_path, temporary, "--only", "memory")
    _, rows = record.load(tmp_path / "bench-memory.json", MemoryRow)
    own = [row for row in rows if row.server == "framebus, 1 worker"]
    assert sum(row.server == "framebus, 2 workers" for row in rows) == len(own) + 1
    assert [row.process for row in own][:4] == ["up", "capture daemon", "gunicorn", "worker 1"]
    assert all(row.pss > row.ring for row in own)
    assert own[1].ring > 0
    assert own[0].ring == own[2].ring == 0
    assert "| framebus" in said
    assert not orphans(before)
    assert not list(temporary.iterdir())


@pytest.mark.timeout(120)
def test_all_processes_are_counted_with_few_viewers_and_with_none(
    tmp_path: Path, temporary: Path
) -> None:
    before = set(os.listdir(SHARED_MEMORY))
    said = bench(tmp_path, temporary, "--only", "few", "--servers", "framebus,floor")
    _, rows = record.load(tmp_path / "bench-few.json", FewRow)
    assert [(row.server, row.viewers) for row in rows] == [
        (server, viewers) for viewers in (0, 1, 3) for server in ("framebus", "floor")
    ]
    for row in rows:
        assert row.faults == 0
        assert row.core_percent > 0
        assert row.wakeups > 0
        assert (row.fps_min is None) == (row.viewers == 0)
    for framebus in rows[::2]:
        assert list(framebus.percent) == ["capture", "serving", "rest"]
        assert framebus.percent["capture"] > 0
        assert framebus.percent["serving"] > 0 or not framebus.viewers
        assert list(framebus.times) == ["floor"]
    assert "/floor" in said
    assert not orphans(before)
    assert not list(temporary.iterdir())


@pytest.mark.timeout(120)
def test_the_other_parts_follow_one_another_and_are_shown_again(
    tmp_path: Path, temporary: Path
) -> None:
    before = set(os.listdir(SHARED_MEMORY))
    two = {"capture"} | ({"thousand"} if len(os.sched_getaffinity(0)) > 1 else set())
    parts = ("--only", "capture,thousand", "--long-viewers", "5", "--long-seconds", "1")
    said = bench(tmp_path, temporary, *parts)
    _, rows = record.load(tmp_path / "bench-capture.json", CaptureRow)
    assert [row.readers for row in rows] == [0, 1, 32]
    if "thousand" in two:
        _, (run,) = record.load(tmp_path / "bench-thousand.json", LongRun)
        assert run.viewers == 5
        assert len(run.held_before) == len(run.own_after) == 2
        assert run.captured == run.published + run.rejected
    else:
        assert "leaving thousand out" in said
    again = bench(tmp_path, temporary, "--again")
    assert "leaving grid out: measure it first" in again
    assert again.count(" UTC, ") == len(two)
    assert not orphans(before)
    assert not list(temporary.iterdir())


@pytest.mark.timeout(120)
def test_each_source_gives_frames_to_be_measured(tmp_path: Path, temporary: Path) -> None:
    before = set(os.listdir(SHARED_MEMORY))
    said = bench(tmp_path, temporary, "--only", "sources")
    _, rows = record.load(tmp_path / "bench-sources.json", SourceRow)
    assert [row.source for row in rows] == ["v4l2", "file", "http", "ffmpeg", "test"]
    assert rows[0].to_v4l2 == 1
    for row in rows:
        assert row.frame_us > 0
        assert (row.child_percent > 0) == (row.source == "ffmpeg")
    assert "| 640x480 | ffmpeg" in said
    assert not orphans(before)
    assert not list(temporary.iterdir())


@pytest.mark.timeout(120)
def test_snapshots_are_measured_with_and_without_keep_alive(
    tmp_path: Path, temporary: Path
) -> None:
    before = set(os.listdir(SHARED_MEMORY))
    if len(os.sched_getaffinity(0)) < 2:
        return  # the other part has none to be left out for
    bench(tmp_path, temporary, "--only", "snapshots", "--connections", "5")
    _, rows = record.load(tmp_path / "bench-snapshots.json", SnapshotsRow)
    framebus = [row for row in rows if row.server == "framebus"]
    assert [(row.connections, row.kept) for row in framebus] == [(5, True), (5, False)]
    for row in framebus:
        assert row.requests_per_s > 0
        assert row.cpu_us > 0
        assert row.faults == 0
    assert not orphans(before)
    assert not list(temporary.iterdir())
