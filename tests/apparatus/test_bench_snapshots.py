"""What the benchmark's part `snapshots` sums up, and how that reads."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.snapshot_figures import Answers, SnapshotsMeasurement, summarise, text

LINE = json.dumps(
    {
        "elapsed_ns": 2_000_000_000,
        "answers": 1000,
        "bytes": 150_000_000,
        "broken": 1,
        "refused": 2,
        "closed": 3,
        "placeholders": 4,
        "connected": 5,
        "bucket_us": 20,
        "times": [[0, 500], [49, 490], [499, 10]],
    }
)


def measured(server: str, rate: float) -> SnapshotsMeasurement:
    one = SnapshotsMeasurement.of(
        Answers.parse(LINE),
        server=server,
        size="1280x720",
        frame_bytes=150_000,
        connections=20,
        kept=True,
        wall_s=2.0,
        server_ns=1_000_000_000,
        client_ns=200_000_000,
    )
    return replace(one, requests_per_s=rate)


def test_a_measurement_divides_by_the_answers_and_by_the_time() -> None:
    answers = Answers.parse(LINE)
    one = SnapshotsMeasurement.of(
        answers,
        server="framebus",
        size="1280x720",
        frame_bytes=150_000,
        connections=20,
        kept=False,
        wall_s=2.0,
        server_ns=1_000_000_000,
        client_ns=200_000_000,
    )
    assert (one.requests_per_s, one.cpu_us) == (500.0, 1000.0)
    assert (one.core_percent, one.client_percent) == pytest.approx((50.0, 10.0))
    assert (one.p50_ms, one.p99_ms) == (0.02, 1.0)
    assert one.faults == answers.faults == 10


def test_a_server_that_answered_nothing_is_not_divided_by_zero() -> None:
    silent = replace(Answers.parse(LINE), answers=0, times_ms=())
    one = SnapshotsMeasurement.of(
        silent,
        server="ustreamer",
        size="1280x720",
        frame_bytes=150_000,
        connections=20,
        kept=True,
        wall_s=2.0,
        server_ns=1,
        client_ns=1,
    )
    assert (one.requests_per_s, one.p99_ms) == (0.0, None)
    assert summarise([[one, measured("framebus", 10.0)]])[0].to_framebus is None


def test_ratios_are_taken_within_a_round() -> None:
    rounds = [
        [measured("framebus", 1000.0), measured("ustreamer", 500.0)],
        [measured("ustreamer", 100.0), measured("framebus", 100.0)],
        [measured("framebus", 4000.0), measured("ustreamer", 1000.0)],
    ]
    framebus, ustreamer = summarise(rounds)
    assert framebus.to_framebus is None
    assert ustreamer.to_framebus == pytest.approx(0.5)
    assert (ustreamer.low, ustreamer.high) == pytest.approx((0.25, 1.0))
    assert (framebus.requests_per_s, framebus.faults) == (1000.0, 30)


def test_the_table_has_a_line_for_each_server_and_load() -> None:
    told = text(summarise([[measured("framebus", 1000.0), measured("ustreamer", 500.0)]]))
    head, _, first, second = told.splitlines()
    assert "requests/s" in head
    assert "| framebus " in first
    assert " 0.50 " in second
