"""Who takes viewers and who gives some away, as numbers."""

from __future__ import annotations

import random

import pytest

from web_workers.handover.policy import FAR, WAIT_FOR_YOUNGER_S, may_leave, to_give, to_take


@pytest.mark.parametrize(
    ("own", "others", "waiting", "taken"),
    [
        (0, [], 7, 7),  # alone: all
        (0, [0], 500, 250),
        (0, [0, 0], 500, 167),
        (250, [0], 250, 0),  # it has its share, the other one is not up yet
        (10, [30], 20, 20),  # of 60 thirty are its own, and only twenty wait
        (5, [0], 1, 0),
        (0, [5], 1, 1),
        (3, [3], 1, 1),  # one of two equals must: both would do
    ],
)
def test_a_worker_takes_its_share(own: int, others: list[int], waiting: int, taken: int) -> None:
    assert to_take(own, others, waiting, long=False) == taken


def test_what_has_waited_long_is_taken_by_whoever_sees_it() -> None:
    assert to_take(900, [0], 40, long=True) == 40


@pytest.mark.parametrize(
    ("own", "others", "given"),
    [
        (100, [], 0),
        (100, [0], 50),
        (100, [100], 0),
        (100, [70], 0),  # 15 above the mean of 85: not worth it
        (500, [100, 300], 200),
        (300, [500, 100], 0),
        (16, [0], 0),
        (18, [0], 9),
        (0, [90], 0),
    ],
)
def test_a_worker_gives_away_only_what_is_far_above_the_mean(
    own: int, others: list[int], given: int
) -> None:
    assert to_give(own, others) == given


@pytest.mark.parametrize("seed", range(50))
def test_workers_come_to_rest_nearly_even_and_nobody_gives_twice(seed: int) -> None:
    chance = random.Random(seed)
    counts = [chance.choice([0, 3, 40, 400]) for _ in range(chance.randint(2, 6))]
    total = sum(counts)
    gave = [0] * len(counts)
    for _ in range(len(counts)):
        for me in range(len(counts)):
            on_the_way = to_give(counts[me], counts[:me] + counts[me + 1 :])
            counts[me] -= on_the_way
            gave[me] += bool(on_the_way)
            while on_the_way:
                taker = chance.randrange(len(counts))
                others = counts[:taker] + counts[taker + 1 :]
                took = to_take(counts[taker], others, on_the_way, long=False)
                counts[taker] += took
                on_the_way -= took
    assert sum(counts) == total
    assert max(gave) <= 1
    mean = total / len(counts)
    assert max(counts) <= mean + max(FAR, mean / 4)


def test_a_worker_serves_on_while_those_who_follow_are_being_started() -> None:
    assert not may_leave(0.0, 2, 4, serving=[], booting=[])  # not even seen yet
    assert not may_leave(0.5, 2, 4, serving=[], booting=[3, 4])
    assert not may_leave(0.5, 2, 4, serving=[3], booting=[4])
    assert not may_leave(0.5, 2, 4, serving=[4], booting=[3])
    assert not may_leave(0.5, 2, 4, serving=[3], booting=[])
    assert may_leave(0.5, 2, 4, serving=[3, 4], booting=[])
    assert may_leave(WAIT_FOR_YOUNGER_S, 2, 4, serving=[], booting=[3, 4])


def test_a_worker_that_nobody_follows_leaves_at_once() -> None:
    assert may_leave(0.0, 4, 4, serving=[3], booting=[])
    assert may_leave(0.0, 4, 4, serving=[], booting=[])


def test_older_workers_are_no_followers() -> None:
    assert not may_leave(0.0, 3, 4, serving=[1, 2], booting=[])
