from __future__ import annotations

import os

import pytest
from framebus.cli.restarts import (
    FINAL_AT_START,
    HEALTHY_S,
    START_SPACING_S,
    Again,
    GiveUp,
    Row,
    decide,
)

KILLED = -9


def delays(exit_code: int, lived_s: float, count: int) -> list[float]:
    """The delays before each of `count` restarts of a child that always lives as long."""
    row, found = Row(), []
    for _ in range(count):
        decision = decide(row, exit_code=exit_code, lived_s=lived_s)
        assert isinstance(decision, Again)
        found.append(decision.delay_s)
        row = decision.row
    return found


def test_first_restart_is_immediate() -> None:
    assert decide(Row(), exit_code=KILLED, lived_s=0.01) == Again(0.0, Row(2, 1))


def test_child_that_dies_at_its_start_slows_down_to_the_longest_spacing() -> None:
    found = delays(exit_code=1, lived_s=0.0, count=len(START_SPACING_S) + 5)
    assert found[: len(START_SPACING_S)] == list(START_SPACING_S)
    assert set(found[len(START_SPACING_S) :]) == {START_SPACING_S[-1]}


def test_time_lived_counts_towards_the_delay() -> None:
    assert delays(exit_code=KILLED, lived_s=0.4, count=4) == pytest.approx([0.0, 0.0, 0.1, 0.6])


def test_child_killed_ten_times_a_few_seconds_apart_comes_back_at_once_each_time() -> None:
    assert delays(exit_code=KILLED, lived_s=1.5, count=10) == [0.0] * 10


def test_ten_healthy_seconds_begin_a_new_row() -> None:
    tired = Row(starts=20, died_young=20)
    young = decide(tired, exit_code=1, lived_s=HEALTHY_S - 0.001)
    assert isinstance(young, Again)
    assert young.delay_s > 0
    assert decide(tired, exit_code=1, lived_s=HEALTHY_S) == Again(0.0, Row(21, 1))


@pytest.mark.parametrize("code", sorted(FINAL_AT_START))
def test_what_needs_a_person_ends_the_first_start(code: int) -> None:
    assert isinstance(decide(Row(), exit_code=code, lived_s=0.5), GiveUp)


@pytest.mark.parametrize("code", sorted(FINAL_AT_START))
def test_the_same_code_after_a_restart_or_a_healthy_life_is_tried_again(code: int) -> None:
    assert isinstance(decide(Row(starts=2), exit_code=code, lived_s=0.5), Again)
    assert isinstance(decide(Row(), exit_code=code, lived_s=HEALTHY_S), Again)


def test_usage_held_and_permission_are_among_what_needs_a_person() -> None:
    assert {os.EX_USAGE, os.EX_TEMPFAIL, os.EX_NOPERM} <= FINAL_AT_START.keys()


def test_clean_exit_is_started_again_too() -> None:
    assert isinstance(decide(Row(), exit_code=0, lived_s=0.5), Again)


def test_a_child_that_may_be_retried_does_not_end_everything_at_its_first_start() -> None:
    no_room = frozenset({os.EX_CANTCREAT})
    assert isinstance(decide(Row(), exit_code=os.EX_CANTCREAT, lived_s=0.1), GiveUp)
    again = decide(Row(), exit_code=os.EX_CANTCREAT, lived_s=0.1, retried=no_room)
    assert again == Again(0.0, Row(2, 1))
    assert isinstance(decide(Row(), exit_code=os.EX_USAGE, lived_s=0.1, retried=no_room), GiveUp)
