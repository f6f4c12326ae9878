"""The frame counters: sums that add up, gaps, and a rate that falls when frames stop."""

from __future__ import annotations

import pytest
from framebus.contract.words import Rejection
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.capturing.counters import FrameCounters

S = 1_000_000_000


def feed(
    counters: FrameCounters, sequence: int, at_ns: int, reason: Rejection | None = None
) -> None:
    counters.record(device_sequence=sequence, captured_ns=at_ns, now_ns=at_ns, rejected_for=reason)


@given(st.lists(st.sampled_from([None, "empty", "no-soi", "flagged"])))
def test_captured_is_published_plus_rejected_whatever_comes(
    reasons: list[Rejection | None],
) -> None:
    counters = FrameCounters()
    for number, reason in enumerate(reasons):
        feed(counters, number, number, reason)
    counts = counters.counts(0)
    assert counts.captured == len(reasons)
    assert counts.captured == counts.published + sum(counts.rejected.values())


def test_gaps_in_the_devices_sequence_are_missed_frames() -> None:
    counters = FrameCounters()
    for sequence in (7, 8, 8, 11, 12):
        feed(counters, sequence, sequence)
    assert counters.counts(0).missed == 2


def test_a_new_session_counts_from_anywhere_without_a_gap() -> None:
    counters = FrameCounters()
    feed(counters, 5, 1)
    counters.begin_session()
    feed(counters, 900, 2)
    assert counters.counts(0).missed == 0


def test_a_sequence_that_starts_over_is_no_gap() -> None:
    counters = FrameCounters()
    for sequence in (500, 0, 1):
        feed(counters, sequence, 1)
    assert counters.counts(0).missed == 0


def test_the_rate_is_measured_and_falls_while_nothing_comes() -> None:
    counters = FrameCounters()
    for number in range(50):
        feed(counters, number, number * S // 25)
    now = 49 * S // 25
    assert counters.counts(now).fps == pytest.approx(25)
    assert (counters.counts(now + 2 * S).fps or 0) < 15
    assert counters.counts(now + 10 * S).fps is None
    assert counters.rate() == pytest.approx(25)


def test_a_slow_cameras_rate_is_measured_and_ends_some_intervals_after_its_frames() -> None:
    counters = FrameCounters()
    for number in range(3):
        feed(counters, number, number * 20 * S)
    assert counters.counts(41 * S).fps == pytest.approx(0.05)
    assert counters.counts(60 * S).fps == pytest.approx(0.05)
    assert 0 < (counters.counts(90 * S).fps or 0) < 0.05
    assert not counters.counts(101 * S).fps


def test_rejected_frames_do_not_count_as_frames_a_second() -> None:
    counters = FrameCounters()
    for number in range(50):
        feed(counters, number, number * S // 25, "no-eoi")
    assert counters.counts(2 * S).fps is None
    assert counters.counts(2 * S).newest_ns == 0
    assert counters.rejected_since() == ["no-eoi"]


def test_a_valid_frame_ends_the_list_of_recent_rejections() -> None:
    counters = FrameCounters()
    feed(counters, 1, 1, "no-eoi")
    feed(counters, 2, 2)
    assert counters.rejected_since() == []
    assert counters.arrived_ns() == 2


def test_of_the_recent_rejections_the_most_frequent_comes_first() -> None:
    counters = FrameCounters()
    reasons: list[Rejection] = ["empty", "no-eoi", "no-eoi", "flagged", "no-eoi", "empty"]
    for number, reason in enumerate(reasons):
        feed(counters, number, number, reason)
    assert counters.rejected_since() == ["no-eoi", "empty", "flagged"]
