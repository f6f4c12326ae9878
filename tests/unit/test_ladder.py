"""The ladder's table: what comes next after which failure, and that the choosing ends."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from framebus.contract.words import DEVICE_LEVEL, Rung

from capture_daemon.recovery.budget import Budgets
from capture_daemon.recovery.failures import Failure, failure_of
from capture_daemon.recovery.ladder import HOLDER_PATIENCE_S, TABLE, Situation, next_step
from capture_daemon.recovery.rungs import Unavailable

S = 1_000_000_000
REFUSABLE = (*sorted(DEVICE_LEVEL, key=lambda rung: rung.number), Rung.END_HOLDER)
ENDLESS = {Failure.OTHER}


def rungs_tried(failure: Failure, unavailable: set[Rung], *, laps: int = 1) -> list[Rung]:
    """Carry rungs out until the ladder is given up `laps` times; every rung fails after 3 s."""
    now, tried, budgets, rungs = 1000 * S, Counter[Rung](), Budgets(), []
    since = now
    done = 0
    while done < laps:
        step = next_step(
            Situation(
                failure=failure,
                open_now=failure is Failure.SILENT and not tried,
                tried=tried,
                failing_since_ns=since,
                laps=done,
                unavailable={rung: Unavailable(rung, "no") for rung in unavailable},
                budgets=budgets,
            ),
            now,
            0.0,
        )
        assert step.due_ns >= now
        assert step.rung not in unavailable
        rungs.append(step.rung)
        assert len(rungs) < 1000
        now = step.due_ns
        budgets = budgets.spend(step.rung, now)
        if step.rung is Rung.GIVE_UP:
            done += 1
            tried.clear()
            since = now
        else:
            tried[step.rung] += 1
            now += S // 10 if failure is Failure.BUSY else 3 * S
    return rungs


@pytest.mark.parametrize("failure", set(Failure) - ENDLESS, ids=lambda failure: failure.value)
def test_every_lap_ends_in_giving_up_whatever_is_available(failure: Failure) -> None:
    for count in range(len(REFUSABLE) + 1):
        for unavailable in itertools.combinations(REFUSABLE, count):
            tried = rungs_tried(failure, set(unavailable))
            assert tried[-1] is Rung.GIVE_UP
            numbers = [rung.number for rung in tried]
            assert numbers == sorted(numbers), "a cheaper rung came after a dearer one"
            assert set(tried) == set(TABLE[failure].rungs) - set(unavailable)


def test_the_whole_ladder_of_a_silent_camera() -> None:
    assert rungs_tried(Failure.SILENT, set()) == [
        Rung.RESTART_STREAM,
        Rung.REOPEN,
        Rung.REBIND,
        Rung.USB_RESET,
        Rung.REAUTHORIZE,
        Rung.PORT_POWER,
        Rung.GIVE_UP,
    ]


def test_a_camera_that_stays_dead_is_reset_no_more_than_the_budget_allows() -> None:
    tried = rungs_tried(Failure.SILENT, {Rung.PORT_POWER}, laps=3)
    # Laps follow each other after 30 s and 60 s: within 10 minutes there are three resets only.
    resets = [rung for rung in tried if rung in (Rung.USB_RESET, Rung.REAUTHORIZE)]
    assert len(resets) == 3
    assert tried.count(Rung.GIVE_UP) == 3


def test_without_a_device_reopening_goes_on_for_ever_at_up_to_5_s() -> None:
    situation = Situation(Failure.OTHER, tried={Rung.REOPEN: 50})
    step = next_step(situation, 0, 0.0)
    assert (step.rung, step.due_ns) == (Rung.REOPEN, 5 * S)


def test_a_stream_that_is_not_open_is_not_restarted() -> None:
    assert next_step(Situation(Failure.SILENT), 0, 0.0).rung is Rung.REOPEN
    assert next_step(Situation(Failure.SILENT, open_now=True), 0, 0.0).rung is Rung.RESTART_STREAM


def test_a_holder_is_waited_for_with_short_looks_and_no_longer_than_it_may_take_to_die() -> None:
    tried, now, looks = Counter[Rung](), 0, 0
    while (step := next_step(Situation(Failure.BUSY, tried=tried), now, 0.0)).rung is (
        Rung.WAIT_FOR_HOLDER
    ):
        assert 0 < step.limit_s <= HOLDER_PATIENCE_S
        now, looks = step.due_ns, looks + 1
        tried[step.rung] += 1
    assert now >= HOLDER_PATIENCE_S * S
    assert 10 < looks < 40


def test_giving_up_on_a_busy_device_goes_on_watching_its_holder() -> None:
    unavailable = {Rung.END_HOLDER: Unavailable(Rung.END_HOLDER, "not allowed")}
    step = next_step(Situation(Failure.BUSY, unavailable=unavailable), 60 * S, 0.0)
    assert (step.rung, step.due_ns) == (Rung.GIVE_UP, 90 * S)
    assert (step.probe, step.limit_s) == (Rung.REOPEN, 4)
    assert [each.rung for each in step.passed] == [Rung.WAIT_FOR_HOLDER, Rung.END_HOLDER]


def test_what_helped_last_is_jumped_to_once_a_lower_rung_has_failed() -> None:
    fresh = Situation(Failure.SILENT, open_now=True, remembered=Rung.USB_RESET)
    assert next_step(fresh, 0, 0.0).rung is Rung.RESTART_STREAM
    failed = Situation(
        Failure.SILENT, tried={Rung.RESTART_STREAM: 1}, remembered=Rung.USB_RESET, open_now=True
    )
    step = next_step(failed, 0, 0.0)
    assert step.rung is Rung.USB_RESET
    assert {each.rung for each in step.passed} == {Rung.REOPEN, Rung.REBIND}
    assert "helped the last time" in step.passed[0].reason


def test_what_helped_last_but_cannot_be_used_now_is_no_reason_to_pass_others_over() -> None:
    situation = Situation(
        Failure.SILENT,
        tried={Rung.RESTART_STREAM: 1},
        remembered=Rung.USB_RESET,
        unavailable={Rung.USB_RESET: Unavailable(Rung.USB_RESET, "no permission")},
    )
    assert next_step(situation, 0, 0.0).rung is Rung.REOPEN


def test_nothing_below_the_highest_rung_that_was_tried_is_tried_after_it() -> None:
    situation = Situation(Failure.SILENT, tried={Rung.REBIND: 1, Rung.REAUTHORIZE: 1})
    assert next_step(situation, 0, 0.0).rung is Rung.PORT_POWER


def test_a_camera_that_is_not_back_yet_after_a_reset_is_looked_for_again() -> None:
    situation = Situation(Failure.AWAY, tried={Rung.USB_RESET: 1})
    assert next_step(situation, 0, 0.0).rung is Rung.REOPEN
    silent = Situation(Failure.SILENT, tried={Rung.USB_RESET: 1})
    assert next_step(silent, 0, 0.0).rung is Rung.REAUTHORIZE


def test_a_camera_that_a_reset_left_without_its_driver_has_it_bound_again() -> None:
    tried = {Rung.REOPEN: 3, Rung.USB_RESET: 1}
    situation = Situation(Failure.AWAY, tried=tried)
    step = next_step(situation, 0, 0.0)
    assert (step.rung, step.due_ns) == (Rung.BIND, 0)
    bound = {**tried, Rung.BIND: 1}
    step = next_step(Situation(Failure.AWAY, tried=bound), 0, 0.0)
    assert (step.rung, step.due_ns) == (Rung.REBIND, 0)
    again = Situation(Failure.AWAY, tried={**bound, Rung.REBIND: 1})
    assert next_step(again, 0, 0.0).rung is Rung.REAUTHORIZE


def test_a_camera_that_refuses_its_driver_is_asked_by_binding_it_again_and_again() -> None:
    tried = {Rung.REOPEN: 3, Rung.BIND: 9, Rung.REBIND: 1}
    spent = Budgets().spend(Rung.USB_RESET, 10 * S).spend(Rung.BIND, 10 * S)
    situation = Situation(Failure.AWAY, tried=tried, budgets=spent)
    step = next_step(situation, 12 * S, 0.0)
    assert (step.rung, step.due_ns) == (Rung.USB_RESET, 40 * S)
    assert (step.probe, step.probe_ns) == (Rung.BIND, 16 * S)
    unavailable = {Rung.BIND: Unavailable(Rung.BIND, "it has its driver")}
    bound = next_step(replace(situation, unavailable=unavailable), 12 * S, 0.0)
    assert (bound.probe, bound.probe_ns) == (Rung.REOPEN, 16 * S)


def test_what_is_given_up_rests_and_is_looked_at_meanwhile() -> None:
    situation = Situation(Failure.SILENT, rests_until_ns=100 * S, took_s=5.0)
    step = next_step(situation, 70 * S, 0.0)
    assert (step.rung, step.due_ns) == (Rung.GIVE_UP, 100 * S)
    assert (step.probe, step.probe_ns) == (Rung.REOPEN, 70 * S + S // 10)
    last = next_step(situation, 100 * S - S // 10, 0.0)
    assert (last.probe, last.first_ns) == (Rung.REOPEN, 100 * S)
    assert next_step(situation, 100 * S, 0.0).rung is not Rung.GIVE_UP


def test_a_server_that_lets_nobody_in_is_left_alone_while_it_is_given_up() -> None:
    failure = failure_of("unauthorized", on_device=False, permanent=True)
    step = next_step(Situation(failure), 0, 0.0)
    assert (step.rung, step.first_ns, step.probe) == (Rung.GIVE_UP, 30 * S, None)
    missing = failure_of("no-ffmpeg", on_device=False, permanent=True)
    assert next_step(Situation(missing), 0, 0.0).first_ns == 4 * S


def test_a_refusal_that_ends_within_two_seconds_needs_no_reset() -> None:
    for jitter in (0.0, 1.0):
        tried, now, opened = Counter[Rung](), 0, 0
        situation = Situation(Failure.REFUSED)
        while (step := next_step(situation, now, jitter)).rung is Rung.REOPEN:
            opened = now = step.due_ns
            tried[step.rung] += 1
            situation = Situation(Failure.REFUSED, tried=tried)
        assert 2 * S <= opened <= 2.5 * S
        assert step.rung is Rung.USB_RESET


def test_a_camera_that_is_back_but_silent_has_its_stream_restarted_first() -> None:
    situation = Situation(Failure.SILENT, open_now=True, tried={Rung.REOPEN: 3, Rung.REBIND: 1})
    assert next_step(situation, 0, 0.0).rung is Rung.RESTART_STREAM


def test_a_second_reset_waits_until_30_s_have_passed() -> None:
    budgets = Budgets().spend(Rung.USB_RESET, 100 * S)
    situation = Situation(Failure.SILENT, tried={Rung.USB_RESET: 1}, budgets=budgets)
    step = next_step(situation, 105 * S, 0.0)
    assert (step.rung, step.due_ns) == (Rung.REAUTHORIZE, 130 * S)


def test_rebinding_does_not_make_a_reset_wait() -> None:
    budgets = Budgets().spend(Rung.REBIND, 100 * S)
    situation = Situation(Failure.SILENT, tried={Rung.REBIND: 1}, budgets=budgets)
    step = next_step(situation, 102 * S, 0.0)
    assert (step.rung, step.due_ns) == (Rung.USB_RESET, 102 * S)


@pytest.mark.parametrize("failure", [Failure.FORBIDDEN, Failure.NO_BANDWIDTH, Failure.SHORTAGE])
def test_what_no_reset_can_mend_is_not_reset(failure: Failure) -> None:
    assert not DEVICE_LEVEL & set(TABLE[failure].rungs)


def test_giving_up_lasts_longer_each_time_up_to_5_minutes() -> None:
    waits = [
        next_step(Situation(Failure.NO_BANDWIDTH, tried={Rung.REOPEN: 1}, laps=laps), 0, 0.0).due_ns
        for laps in range(6)
    ]
    assert waits == [30 * S, 60 * S, 120 * S, 240 * S, 300 * S, 300 * S]


def test_codes_of_a_source_that_is_no_device_never_lead_to_a_reset() -> None:
    assert failure_of("silent", on_device=False) is Failure.OTHER
    assert failure_of("device-gone", on_device=False) is Failure.OTHER
    assert failure_of("silent", on_device=True) is Failure.SILENT
    assert failure_of("a code of tomorrow", on_device=True) is Failure.OTHER
