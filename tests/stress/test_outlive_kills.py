from __future__ import annotations

import pytest

from tests.stress.outlive_kills import run


@pytest.mark.timeout(300)
def test_viewers_outlive_ten_kills_of_the_daemon_and_nothing_is_left() -> None:
    result = run(viewers=50, kills=10, within_s=20)
    assert (result.viewers, result.kills) == (50, 10)
    assert (result.torn, result.older, result.disconnected) == (0, 0, 0)
    assert result.frames > 50 * 10
    assert result.exit_status == 0
    assert result.left_in_shm == []
    assert result.left_in_runtime == []
