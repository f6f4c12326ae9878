"""A short day; and what a leak looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.stress.day import GROWTH_KB, Look, Result, growth, run

STEADY = Look(pss_kb=20_000, descriptors=20, threads=3)
WELL = Result(
    frames=100,
    seconds=1.0,
    grown={"worker": {"pss_kb": float(GROWTH_KB), "descriptors": 0.0, "threads": 0.0}},
    at_end={},
    ended=[],
    faults=0,
    seen={"viewers": 1},
)


@pytest.mark.timeout(300)
def test_no_process_grows_while_small_frames_rush_through_all_of_them() -> None:
    result = run(frames=60_000)
    assert result.forbidden() == []
    assert result.frames >= 60_000
    assert {"daemon", "master", "worker", "up"} < result.grown.keys()


def test_what_grows_in_the_first_tenth_does_not_count_and_what_grows_later_does() -> None:
    warming = [replace(STEADY, pss_kb=1_000 * number) for number in range(10)]
    level, leaking = [STEADY] * 90, [replace(STEADY, pss_kb=20_000 + 20 * n) for n in range(90)]
    grown = growth({"well": warming + level, "leaking": warming + leaking})
    assert grown["well"] == {"pss_kb": 0, "descriptors": 0, "threads": 0}
    assert grown["leaking"] == {"pss_kb": 20 * 83, "descriptors": 0, "threads": 0}


def test_one_look_that_differs_is_no_growth() -> None:
    looks = [STEADY] * 99 + [replace(STEADY, descriptors=21)]
    assert growth({"worker": looks})["worker"]["descriptors"] == 0


def test_a_run_in_which_all_is_well_is_said_to_be_one() -> None:
    assert WELL.forbidden() == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"grown": {"worker": {"pss_kb": GROWTH_KB + 1}}}, f"pss_kb of worker: +{GROWTH_KB + 1}"),
        ({"grown": {"up": {"descriptors": 1}}}, "descriptors of up: +1"),
        ({"grown": {"daemon": {"threads": 1.0}}}, "threads of daemon: +1"),
        ({"ended": ["worker"]}, "ended: worker"),
        ({"faults": 2}, "faults: 2"),
        ({"seen": {"viewers": 0}}, "too few for viewers"),
    ],
)
def test_each_thing_that_must_not_be_is_named(bad: dict[str, object], said: str) -> None:
    assert replace(WELL, **bad).forbidden() == [said]  # type: ignore[arg-type]
