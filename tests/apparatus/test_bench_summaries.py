"""What the benchmark's other parts sum up, and how that reads."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from benchmarks import summaries
from benchmarks.figures import Report
from benchmarks.results import (
    CaptureRow,
    LongRun,
    MemoryRow,
    SourceRow,
    WorkersRound,
    frame_counts,
)

REPORT = Report(
    elapsed_s=2.0,
    parts=(60, 58, 20),
    bytes=3_000_000_000,
    broken=1,
    backwards=2,
    placeholders=3,
    closed=4,
    ages_ms=((0.02, 10), (1.0, 88), (10.0, 2)),
)
ROUNDS = [
    WorkersRound(200, 10.0, 30.0, 10.0, 30.0, [0.5, 0.4], one_floor_us=9.0, two_floors_us=10.0),
    WorkersRound(200, 30.0, 30.0, 20.0, 15.0, [0.7, 0.3], one_floor_us=12.0, two_floors_us=8.0),
    WorkersRound(200, 11.0, 29.0, 20.0, 30.0, [0.6, 0.35], one_floor_us=8.0, two_floors_us=16.0),
]


def long_run(report: Report = REPORT) -> LongRun:
    return LongRun.of(
        report,
        size="640x480",
        frame_bytes=55_000,
        percent={"web": 42.0, "daemon": 1.94, "client": 22.0},
        frames={"captured": 61, "published": 60, "missed": 2, "rejected": 1},
        before=[(76.0, 31.0), (75.0, 30.0)],
        after=[(76.26, 31.0), (75.0, 30.5)],
    )


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def told(text: str) -> dict[str, str]:
    return {line[0]: line[1] for line in map(cells, text.splitlines())}


def test_the_cost_of_the_daemon_is_the_median_round_with_the_span_beside_it() -> None:
    row = CaptureRow.of("640x480", 32, [(2.0, 1.0), (5.0, 1.5), (1.9, 1.2)])
    assert asdict(row) == {
        "size": "640x480",
        "readers": 32,
        "core_percent": 2.0,
        "capture_percent": 1.2,
        "least_percent": 1.9,
        "most_percent": 5.0,
    }
    assert cells(summaries.capture([row]).splitlines()[-1]) == [
        *("640x480", "32", "2.00", "1.90", "5.00", "1.20")
    ]


def test_two_workers_at_the_cost_of_one_carry_twice_its_viewers() -> None:
    assert [one.times for one in ROUNDS] == pytest.approx([2.0, 3.0, 1.1])
    assert [one.floors_times for one in ROUNDS] == pytest.approx([1.8, 3.0, 1.0])


def test_the_last_line_of_the_workers_is_the_median_of_each_column() -> None:
    header, _, *rounds, last = summaries.workers(ROUNDS).splitlines()
    assert "1 worker, 200 viewers" in header
    assert "2 workers, 400 viewers" in header
    assert len(rounds) == 3
    assert cells(last) == [
        *("median", "11.0", "30.0", "20.0", "30.0", "60%, 35%", "2.00"),
        *("9.0", "10.0", "1.80"),
    ]


def test_a_long_run_tells_of_rates_ages_and_faults() -> None:
    said = told(summaries.long_run([long_run()]))
    assert said["viewers"] == "3"
    assert said["fps of the median viewer"] == "29.00"
    assert said["fps of the slowest, and over the median"] == "10.00, 0.345"
    assert said["age of a frame, p50 and p99"] == "1.0 ms, 10.0 ms"
    assert said["delivered"] == "1.50 GB/s"
    assert said["broken, out of order, placeholders"] == "1, 2, 3"
    assert said["connections lost"] == "4"


def test_a_long_run_tells_what_it_cost_and_of_memory_at_both_ends() -> None:
    said = told(summaries.long_run([long_run()]))
    assert said["of a core: web tier, daemon, client"] == "42.0 %, 1.9 %, 22.0 %"
    assert said["resident memory of each worker, MiB"] == "76.0 to 76.3; 75.0 to 75.0"
    assert said["of it its own, not the ring, MiB"] == "31.0 to 31.0; 30.0 to 30.5"
    frames = said["the daemon's frames: captured, published, missed, rejected"]
    assert frames == "61, 60, 2, 1"


def test_a_long_run_in_which_no_frame_arrived_is_told_all_the_same() -> None:
    said = told(summaries.long_run([long_run(replace(REPORT, parts=(0, 0), ages_ms=()))]))
    assert said["fps of the slowest, and over the median"] == "0.00, unknown"
    assert said["age of a frame, p50 and p99"] == "unknown, unknown"


def test_the_daemons_frames_are_those_between_two_answers() -> None:
    before = {"captured": 10, "published": 8, "missed": 1, "rejected": {"no SOI": 2}}
    after = {"captured": 20, "published": 15, "missed": 1, "rejected": {"no SOI": 3, "empty": 2}}
    counts = frame_counts(before, after)
    assert counts == {"captured": 10, "published": 7, "missed": 0, "rejected": 3}


def test_a_source_is_compared_with_the_camera_within_each_round() -> None:
    row = SourceRow.of(
        "640x480", "ffmpeg", [(300.0, 1.0, 0.5), (200.0, 0.7, 0.4), (90.0, 0.3, 0.6)], [100.0] * 3
    )
    assert cells(summaries.sources([row]).splitlines()[-1]) == [
        *("640x480", "ffmpeg", "200", "0.70", "0.50", "2.00", "0.90-3.00"),
    ]


def test_a_source_without_a_child_has_an_empty_place_for_it() -> None:
    row = SourceRow.of("640x480", "file", [(100.0, 0.3, 0.0)], [100.0])
    assert cells(summaries.sources([row]).splitlines()[-1])[4] == ""


def test_memory_is_added_up_where_a_server_has_several_processes() -> None:
    rows = [
        MemoryRow("framebus", "up", 10.0, 0.0),
        MemoryRow("framebus", "capture daemon", 50.0, 32.0),
        MemoryRow("ustreamer", "ustreamer", 2.2, 0.0),
    ]
    lines = [line.split() for line in summaries.memory(rows).splitlines()[2:]]
    assert [" ".join(line).strip("| ") for line in lines] == [
        "framebus | up | 10.0 | 10.0",
        "framebus | capture daemon | 50.0 | 18.0",
        "framebus | all | 60.0 | 28.0",
        "ustreamer | ustreamer | 2.2 | 2.2",
    ]
