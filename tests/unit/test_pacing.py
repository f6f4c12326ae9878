from __future__ import annotations

import pytest

from capture_daemon.sources.base import Interrupt, SourceUnusable
from capture_daemon.sources.pacing import Pacer, checked_fps


class Clock:
    """Nanoseconds that move only when a test moves them."""

    def __init__(self) -> None:
        self.now = 7_000_000_000

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)


def test_the_first_tick_is_due_at_once_and_the_next_an_interval_later(
    interrupt: Interrupt,
) -> None:
    clock = Clock()
    pacer = Pacer(10, interrupt, clock)
    assert pacer.wait(0) == 0
    assert pacer.wait(0) is None
    clock.advance(0.1)
    assert pacer.wait(0) == 1


def test_lateness_does_not_add_up(interrupt: Interrupt) -> None:
    clock = Clock()
    pacer = Pacer(30, interrupt, clock)
    for tick in range(3000):
        clock.now = 7_000_000_000 + int(tick * 1e9 / 30) + 20_000_000
        assert pacer.wait(0) == tick


def test_a_caller_that_was_away_skips_what_it_missed(interrupt: Interrupt) -> None:
    clock = Clock()
    pacer = Pacer(10, interrupt, clock)
    assert pacer.wait(0) == 0
    clock.advance(0.55)
    assert pacer.wait(0) == 5
    clock.advance(0.05)
    assert pacer.wait(0) == 6


def test_an_interrupt_comes_before_a_tick_that_is_due(interrupt: Interrupt) -> None:
    pacer = Pacer(10, interrupt, Clock())
    interrupt.set()
    assert pacer.wait(0) is None
    interrupt.clear()
    assert pacer.wait(0) == 0


@pytest.mark.parametrize("fps", [0, -1, 1e9, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused_with_a_remedy(fps: float) -> None:
    with pytest.raises(SourceUnusable) as failure:
        checked_fps(fps, 30)
    assert "--fps" in failure.value.remedy
