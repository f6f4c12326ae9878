"""When ffmpeg is started again that was started in vain."""

from __future__ import annotations

import pytest

from capture_daemon.sources.base import SourceError, SourceGone
from capture_daemon.sources.programs.start_spacing import FREE, MOST_S, SHARE, StartSpacing

FAILURE = SourceGone("ffmpeg-ended", "404 Not Found")


def may_start(starts: StartSpacing, now_s: float) -> bool:
    try:
        starts.check(now_s)
    except SourceError as error:
        return error is not FAILURE
    return True


def test_the_first_starts_in_vain_follow_one_another_and_then_they_are_spaced_by_their_cost() -> (
    None
):
    starts = StartSpacing()
    for _ in range(FREE):
        assert may_start(starts, 100.0)
        starts.failed(FAILURE, 100.0, cost_s=0.075)
    assert not may_start(starts, 100.0 + 0.99 * 0.075 / SHARE)
    assert may_start(starts, 100.0 + 1.01 * 0.075 / SHARE)


def test_a_pause_has_an_end_however_slow_the_machine_is() -> None:
    starts = StartSpacing()
    for _ in range(FREE):
        starts.failed(FAILURE, 100.0, cost_s=5.0)
    assert may_start(starts, 100.0 + MOST_S)


@pytest.mark.parametrize("cost_s", [0.0, 0.075])
def test_a_source_that_worked_has_its_first_starts_again(cost_s: float) -> None:
    starts = StartSpacing()
    for _ in range(2):
        for _ in range(FREE - 1):
            starts.failed(FAILURE, 100.0, cost_s)
            assert may_start(starts, 100.0)
        starts.worked()


def test_a_failure_that_is_raised_for_weeks_does_not_grow() -> None:
    starts = StartSpacing()
    for _ in range(FREE):
        starts.failed(FAILURE, 100.0, cost_s=0.075)
    assert depth(starts) == depth(starts)


def depth(starts: StartSpacing) -> int:
    with pytest.raises(SourceGone) as failure:
        starts.check(101.0)
    return len(failure.traceback)
