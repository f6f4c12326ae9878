from __future__ import annotations

import pytest

from tests.stress.reloads import run


@pytest.mark.timeout(300)
def test_viewers_outlive_five_reloads_of_the_web_tier_and_capture_sees_nothing_of_it() -> None:
    result = run(viewers=50, reloads=5)
    assert (result.viewers, result.reloads) == (50, 5)
    assert result.forbidden() == []
    assert result.frames > 50 * 5
    assert result.answers > 5
    assert result.capture_frames > 5
