from __future__ import annotations

import time

import pytest
from framebus import clocks


def test_a_process_that_is_preempted_between_the_clocks_is_not_wrong_by_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_000]
    sleeps = iter([5_000_000, 0, 0, 0])

    def monotonic_ns() -> int:
        now[0] += 100
        return now[0]

    def time_ns() -> int:
        now[0] += 100 + next(sleeps)
        return now[0] + 7_000_000_000_000

    monkeypatch.setattr(time, "monotonic_ns", monotonic_ns)
    monkeypatch.setattr(time, "time_ns", time_ns)
    assert abs(clocks.utc_offset_ns() - 7_000_000_000_000) <= 200


def test_a_clock_that_is_always_slow_ends_in_the_best_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = iter(range(0, 10**12, 10**9))
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(slow))
    monkeypatch.setattr(time, "time_ns", lambda: 5)
    assert clocks.utc_offset_ns() == 5 - 10**9 // 2
