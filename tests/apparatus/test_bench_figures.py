"""The benchmark's arithmetic: reports, percentiles, ratios."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.errors import BenchError
from benchmarks.figures import Measurement, Report, percentile, summarise
from benchmarks.handed import Handed

LINE = json.dumps(
    {
        "elapsed_ns": 2_000_000_000,
        "bytes": 1000,
        "broken": 1,
        "backwards": 2,
        "placeholders": 3,
        "unstamped": 0,
        "closed": 4,
        "bucket_us": 20,
        "parts": [60, 58, 20],
        "ages": [[0, 10], [49, 88], [499, 2]],
    }
)


def measured(server: str, cpu_us: float, *, daemon_us: float = 0.0) -> Measurement:
    one = Measurement.of(
        Report.parse(LINE),
        server=server,
        size="640x480",
        frame_bytes=50_000,
        wall_s=2.0,
        serving_ns=0,
        waiting_ns=0,
        daemon_ns=0,
        client_ns=0,
    )
    return replace(one, cpu_us=cpu_us, daemon_us=daemon_us)


def test_a_report_gives_ages_as_the_upper_bounds_of_its_buckets() -> None:
    report = Report.parse(LINE)
    assert report.elapsed_s == 2.0
    assert report.parts == (60, 58, 20)
    assert report.ages_ms == ((0.02, 10), (1.0, 88), (10.0, 2))


@pytest.mark.parametrize(("share", "value"), [(0.05, 0.02), (0.10, 0.02), (0.5, 1.0), (0.99, 10.0)])
def test_a_percentile_is_the_value_at_or_below_which_that_share_lies(
    share: float, value: float
) -> None:
    assert percentile(Report.parse(LINE).ages_ms, share) == value


def test_an_empty_histogram_has_no_percentile() -> None:
    assert percentile([], 0.5) is None


def test_a_measurement_divides_the_cost_by_the_parts_that_arrived() -> None:
    one = Measurement.of(
        Report.parse(LINE),
        server="framebus",
        size="640x480",
        frame_bytes=50_000,
        wall_s=2.0,
        serving_ns=138_000 * 30,
        waiting_ns=200_000_000,
        daemon_ns=138_000,
        client_ns=1_000_000_000,
    )
    assert one.viewers == 3
    assert one.cpu_us == pytest.approx(30.0)
    assert one.daemon_us == pytest.approx(1.0)
    assert one.waited_percent == pytest.approx(10.0)
    assert one.client_percent == pytest.approx(50.0)
    assert (one.fps_min, one.fps_median) == (10.0, 29.0)


def test_a_server_that_delivered_nothing_is_not_divided_by_zero() -> None:
    silent = replace(Report.parse(LINE), parts=(0, 0), ages_ms=())
    one = Measurement.of(
        silent,
        server="framebus",
        size="640x480",
        frame_bytes=50_000,
        wall_s=2.0,
        serving_ns=5_000,
        waiting_ns=0,
        daemon_ns=0,
        client_ns=0,
    )
    assert one.parts == 0
    assert one.age_p99_ms is None
    rows = summarise([[one, measured("floor", 10.0)]])
    assert rows[0].to_floor is None


def test_ratios_are_taken_within_a_round_and_their_median_counts() -> None:
    rounds = [
        [measured("framebus", 11.0), measured("floor", 10.0)],
        [measured("framebus", 60.0), measured("floor", 50.0)],
        [measured("framebus", 13.0), measured("floor", 10.0)],
    ]
    framebus, floor = summarise(rounds)
    assert framebus.to_floor == pytest.approx(1.2)
    assert (framebus.floor_low, framebus.floor_high) == pytest.approx((1.1, 1.3))
    assert framebus.cpu_us == 13.0
    assert floor.to_floor == 1.0
    assert framebus.to_framebus is floor.to_framebus is None


def test_a_ratio_over_two_rounds_is_the_inverse_of_the_ratio_the_other_way_round() -> None:
    there = summarise(
        [
            [measured("framebus", 10.0), measured("floor", 20.0)],
            [measured("framebus", 40.0), measured("floor", 20.0)],
        ]
    )
    assert there[0].to_floor == pytest.approx(1.0)


def test_a_peer_is_compared_with_web_tier_and_daemon_together() -> None:
    rounds = [[measured("framebus", 30.0, daemon_us=10.0), measured("ustreamer", 120.0)]]
    peer = summarise(rounds)[1]
    assert peer.to_framebus == pytest.approx(3.0)
    assert peer.to_floor is None


def test_faults_of_all_rounds_add_up() -> None:
    one = measured("framebus", 1.0)
    assert summarise([[one], [one]])[0].faults == 2 * (1 + 2 + 3 + 4)


PAGE = """\
# HELP framebus_frame_age_at_send_seconds Age of each frame.
# TYPE framebus_frame_age_at_send_seconds histogram
framebus_frame_age_at_send_seconds_bucket{camera="camera",le="0.01"} 40
framebus_frame_age_at_send_seconds_bucket{camera="camera",le="0.02"} 90
framebus_frame_age_at_send_seconds_bucket{camera="camera",le="+Inf"} 100
framebus_frame_age_at_send_seconds_count{camera="camera"} 100
framebus_frame_age_at_send_seconds_sum{camera="camera"} 1.5
"""


def test_what_was_handed_over_soon_is_read_from_the_metrics() -> None:
    assert Handed.parse(PAGE) == Handed(soon=90, all=100)
    assert Handed(90, 100) - Handed(30, 36) == Handed(60, 64)


def test_metrics_without_that_bound_are_an_error() -> None:
    with pytest.raises(BenchError, match=r"0\.02"):
        Handed.parse(PAGE.replace("0.02", "0.03"))


def test_frames_handed_over_soon_are_a_share_of_all_rounds() -> None:
    rounds = [
        [
            replace(measured("framebus", 10.0), handed_soon=58, handed_all=60),
            measured("floor", 9.0),
        ],
        [replace(measured("framebus", 10.0), handed_soon=0, handed_all=40), measured("floor", 9.0)],
    ]
    framebus, floor = summarise(rounds)
    assert framebus.soon_percent == 58.0
    assert floor.soon_percent is None
