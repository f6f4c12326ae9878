"""Leases of demand: granted, renewed, over, and bounded whoever asks."""

from __future__ import annotations

from capture_daemon.lifecycle.demand import LEASES_MAX, LEASES_OF_ONE, Demand

S = 1_000_000_000


def test_a_lease_holds_until_its_time_is_up_and_a_renewal_moves_that() -> None:
    demand = Demand(idle_after_s=60.0)
    assert not demand.watched
    demand.ask((1000, "a"), 15 * S, 0)
    assert (demand.watched, demand.deadline_ns()) == (True, 15 * S)
    demand.ask((1000, "a"), 20 * S, 5 * S)
    demand.tick(20 * S - 1)
    assert demand.watched
    demand.tick(20 * S)
    assert (demand.watched, demand.deadline_ns()) == (False, None)


def test_a_camera_rests_after_its_time_without_demand_and_not_while_a_lease_lasts() -> None:
    demand = Demand(idle_after_s=60.0)
    assert demand.rest_ns(100 * S, 0) == 160 * S, "nobody ever asked: since there are frames"
    demand.ask((1000, "a"), 205 * S, 190 * S)
    assert demand.rest_ns(100 * S, 0) == 250 * S, "after whoever asked last"
    hasty = Demand(idle_after_s=1.0)
    hasty.ask((1000, "a"), 205 * S, 190 * S)
    assert hasty.rest_ns(100 * S, 0) == 205 * S, "a lease is kept to its end"
    assert hasty.rest_ns(100 * S, 300 * S) == 300 * S, "not before a source may be opened again"


def test_nothing_rests_where_nobody_chose_that() -> None:
    demand = Demand()
    demand.ask((1000, "a"), 15 * S, 0)
    assert not demand.matters
    assert (demand.rest_ns(0, 0), demand.deadline_ns()) == (None, None)


def test_the_limit_is_told_when_the_last_lease_ends_and_when_the_first_begins() -> None:
    told: list[float | None] = []
    demand = Demand(idle_fps=1.0, limit=told.append)
    assert told == [1.0], "a daemon begins without anybody who watches"
    demand.ask((1000, "a"), 15 * S, 0)
    demand.ask((1001, "a"), 20 * S, 0)
    demand.tick(16 * S)
    assert told == [1.0, None]
    demand.tick(20 * S)
    assert told == [1.0, None, 1.0]


def test_one_user_can_neither_end_anothers_lease_nor_push_it_out() -> None:
    demand = Demand(idle_after_s=60.0)
    demand.ask((1000, "viewer"), 15 * S, 0)
    demand.ask((2000, "viewer"), 1 * S, 0)
    for number in range(10_000):
        demand.ask((2000, f"{number}"), 2 * S, 0)
    demand.tick(2 * S)
    assert demand.watched, "the first one's lease lasts"
    assert demand.until_ns == 15 * S


def test_leases_are_bounded_and_what_makes_way_ends_first() -> None:
    demand = Demand(idle_after_s=60.0)
    for number in range(2 * LEASES_OF_ONE):
        demand.ask((1000, f"{number}"), (60 - number % 50) * S, 0)
    assert len(demand) == LEASES_OF_ONE
    assert demand.until_ns == 60 * S
    for user in range(5000, 5000 + 2 * LEASES_MAX):
        demand.ask((user, "a"), 30 * S, 0)
    assert len(demand) == LEASES_MAX
    assert demand.until_ns == 60 * S, "the camera is held for as long as before"


def test_leases_that_are_over_take_no_room() -> None:
    demand = Demand(idle_after_s=60.0)
    for number in range(LEASES_OF_ONE):
        demand.ask((1000, f"{number}"), 1 * S, 0)
    demand.ask((1000, "late"), 20 * S, 2 * S)
    assert len(demand) == 1
