"""What all tests wait with: it fails for what does not come, not on a machine that stood still."""

from __future__ import annotations

import pytest

from tests.helpers import waiting
from tests.helpers.waiting import until


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    return clock


def test_what_does_not_come_is_a_failure_that_says_so(clock: Clock) -> None:
    with pytest.raises(AssertionError, match=r"not within 2 s: a frame"):
        until(lambda: False, within_s=2, what="a frame")
    assert 2 < clock.now_s < 3


def test_a_look_that_took_longer_than_the_limit_is_not_the_last_one(clock: Clock) -> None:
    looks = []

    def condition() -> bool:
        looks.append(clock.now_s)
        clock.now_s += 100.0
        return len(looks) == 2

    assert until(condition, within_s=10)
    assert looks[1] > 100.0
