"""Small runs of what is run by hand at full size. No speed is asserted: machines are busy."""

from __future__ import annotations

import pytest

from tests.stress import half_open, rude_viewers


@pytest.mark.timeout(300)
def test_good_viewers_stay_among_rude_ones_and_nothing_is_left_of_those() -> None:
    result = rude_viewers.run(viewers=60, seconds=15.0, workers=2, within_s=90.0)
    assert (result.good, result.stalled, result.slow, result.passing) == (21, 30, 6, 3)
    assert (result.disconnected, result.broken) == (0, 0)
    assert result.least_share > 0
    # One frame each, and what the allocator makes of it; a queue would have held four hundred.
    assert result.worker_frames < 20
    assert result.left == 0
    assert sum(result.closed.values()) == result.accepted
    assert result.closed.keys() <= {"left", "stalled"}


@pytest.mark.timeout(300)
def test_snapshots_are_answered_beside_a_thousand_half_open_requests() -> None:
    result = half_open.run(half_open=1000, snapshots=30, workers=1, within_s=60.0)
    assert result.snapshots == 30
