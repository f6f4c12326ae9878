"""The escalation over time: memory, probation, budget; any life of a camera keeps to them."""

from __future__ import annotations

import itertools

from framebus.contract.words import DEVICE_LEVEL, Rung
from hypothesis import given, settings
from hypothesis import strategies as st

from capture_daemon.recovery.budget import MOST, SPACING_NS, WINDOW_NS
from capture_daemon.recovery.escalation import Progress, RecoveryEscalation
from capture_daemon.recovery.failures import failure_of
from capture_daemon.recovery.ladder import TABLE, Step
from capture_daemon.recovery.rungs import Unavailable

S = 1_000_000_000


def escalation() -> RecoveryEscalation:
    return RecoveryEscalation(jitter=lambda: 0.0)


def fail(
    one: RecoveryEscalation, now: int, *, code: str = "silent", open_now: bool = False
) -> Step:
    return one.failed(failure_of(code, on_device=True), open_now=open_now, now_ns=now)


def fail_until(
    escalation: RecoveryEscalation, rung: Rung, now: int, code: str = "silent"
) -> tuple[int, int]:
    """Let everything fail until `rung` is tried; return the time, and the rungs tried."""
    for tries in range(1, 100):
        open_now = code == "silent" and tries == 1
        step = fail(escalation, now, code=code, open_now=open_now)
        now = step.due_ns
        escalation.began(step.rung, now)
        if step.rung is rung:
            return now, tries
        now += 2 * S
    raise AssertionError(f"{rung} never came")


def test_the_rung_that_cured_a_silence_is_the_second_that_is_tried_the_next_time() -> None:
    one = escalation()
    now, tries = fail_until(one, Rung.USB_RESET, 1000 * S)
    assert tries == 4
    one.settled(now)
    now, tries = fail_until(one, Rung.USB_RESET, now + 60 * S)
    assert tries == 2


def test_what_cured_one_kind_of_failure_is_not_remembered_for_another() -> None:
    one = escalation()
    now, _ = fail_until(one, Rung.USB_RESET, 1000 * S)
    one.settled(now)
    _, tries = fail_until(one, Rung.USB_RESET, now + 60 * S, "refused-stream")
    assert tries == 4


def test_a_remembered_rung_that_did_not_help_is_forgotten() -> None:
    one = escalation()
    now, _ = fail_until(one, Rung.REBIND, 1000 * S)
    one.settled(now)
    now, tries = fail_until(one, Rung.GIVE_UP, now + 700 * S)
    assert tries > 3
    one.start_over()
    _, tries = fail_until(one, Rung.REBIND, now + 700 * S)
    assert tries == 3


def test_a_stream_that_fails_within_10_s_of_its_cure_goes_on_where_it_was() -> None:
    one = escalation()
    now, _ = fail_until(one, Rung.REOPEN, 1000 * S)
    one.settled(now)
    step = fail(one, now + 9 * S, open_now=True)
    assert step.rung is Rung.REBIND


def test_a_stream_that_lasted_longer_starts_at_the_bottom_again() -> None:
    one = escalation()
    now, _ = fail_until(one, Rung.REOPEN, 1000 * S)
    one.settled(now)
    step = fail(one, now + 11 * S, open_now=True)
    assert step.rung is Rung.RESTART_STREAM


def test_a_camera_that_a_person_plugged_in_again_was_cured_by_no_rung() -> None:
    one = escalation()
    now, _ = fail_until(one, Rung.USB_RESET, 1000 * S)
    one.changed_by_hand()
    one.settled(now)
    _, tries = fail_until(one, Rung.USB_RESET, now + 60 * S)
    assert tries == 4


def test_a_refused_rung_is_passed_over_and_told() -> None:
    one = escalation()
    now, _ = fail_until(one, Rung.REBIND, 1000 * S)
    one.refused(Unavailable(Rung.REBIND, "no permission", "grant it"))
    step = one.choose(now)
    assert step is not None
    assert step.rung is Rung.USB_RESET
    assert one.progress() == Progress(
        rung=Rung.REBIND,
        step=step,
        tries={Rung.RESTART_STREAM: 1, Rung.REOPEN: 1, Rung.REBIND: 1},
        unavailable=(Unavailable(Rung.REBIND, "no permission", "grant it"),),
    )


def test_tries_are_counted_over_all_outages_and_wishes() -> None:
    one = escalation()
    now, _ = fail_until(one, Rung.USB_RESET, 1000 * S)
    one.start_over()
    one.ask_for(Rung.USB_RESET, now)
    one.began(Rung.USB_RESET, now)
    tries = {Rung.RESTART_STREAM: 1, Rung.REOPEN: 1, Rung.REBIND: 1, Rung.USB_RESET: 2}
    assert one.progress().tries == tries


def test_a_person_may_not_reset_more_often_either() -> None:
    one = escalation()
    assert one.objection(Rung.USB_RESET, 1000 * S) is None
    one.ask_for(Rung.USB_RESET, 1000 * S)
    one.began(Rung.USB_RESET, 1000 * S)
    objection = one.objection(Rung.REAUTHORIZE, 1012 * S)
    assert objection is not None
    assert objection.remedy == "try again in 18 s"
    assert one.objection(Rung.REAUTHORIZE, 1030 * S) is None


CODES = st.sampled_from(
    ["silent", "stream-broken", "refused-format", "device-busy", "device-absent", "no-permission"]
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["fail", "fail", "fail", "settle", "by-hand", "start-over"]),
        CODES,
        st.integers(0, 20 * S),
        st.sets(st.sampled_from(sorted(DEVICE_LEVEL, key=lambda rung: rung.number))),
    ),
    min_size=20,
    max_size=120,
)


@settings(max_examples=150, deadline=None)
@given(events=EVENTS)
def test_no_life_of_a_camera_exceeds_the_budget_or_uses_what_it_may_not(
    events: list[tuple[str, str, int, set[Rung]]],
) -> None:
    one = escalation()
    now = 1000 * S
    used: list[tuple[Rung, int]] = []
    for what, code, pause, unavailable in events:
        now += pause
        match what:
            case "settle":
                one.settled(now)
            case "by-hand":
                one.changed_by_hand()
            case "start-over":
                one.start_over()
            case "fail":
                one.surveyed(Unavailable(rung, "no") for rung in unavailable)
                step = fail(one, now, code=code)
                assert step.rung in TABLE[failure_of(code, on_device=True)].rungs
                assert step.rung not in unavailable
                assert step.rung is not Rung.RESTART_STREAM
                now = step.due_ns
                one.began(step.rung, now)
                used.append((step.rung, now))
    resets = {Rung.USB_RESET, Rung.REAUTHORIZE, Rung.PORT_POWER}
    for kind in (resets, {Rung.REBIND}):
        times = [at for rung, at in used if rung in kind]
        for earlier, later in itertools.pairwise(times):
            assert later - earlier >= SPACING_NS
        for first, last in zip(times, times[MOST:], strict=False):
            assert last - first >= WINDOW_NS
