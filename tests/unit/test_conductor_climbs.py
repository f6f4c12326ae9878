"""The conductor on the ladder: which command follows which failure, on a camera."""

from __future__ import annotations

from itertools import pairwise

import pytest
from framebus.contract.causes import Cause
from framebus.contract.words import DEVICE_LEVEL, Rung, State

from capture_daemon.capturing.reports import (
    Climbed,
    Failed,
    FrameSeen,
    Opened,
    Settled,
    StreamRestarted,
    Surveyed,
)
from capture_daemon.lifecycle.conductor import Conductor
from capture_daemon.recovery.rungs import Outcome, Result, Unavailable
from capture_daemon.settings.plan import Plan
from capture_daemon.sources.base import Request
from tests.rigs.conducting import CAMERA, GRANTED, Notes, S, fall_silent, state_of

OPEN = "open v4l2:/dev/video0"
DONE = Outcome(Result.DONE, "done")


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def conductor(notes: Notes) -> Conductor:
    conductor = Conductor(capture=notes, plan=CAMERA, jitter=lambda: 0.0, now_ns=100 * S)
    conductor.start(200 * S)
    opened(conductor, notes, 200 * S)
    frames(conductor, notes, 201 * S)
    notes.taken()
    return conductor


def opened(conductor: Conductor, notes: Notes, now: int) -> None:
    conductor.on_report(Opened(conductor.sessions.number, GRANTED, "v4l2"), now)


def frames(conductor: Conductor, notes: Notes, now: int) -> None:
    notes.arrived = now
    conductor.on_report(FrameSeen(conductor.sessions.number, 640, 480), now)
    conductor.on_report(Settled(conductor.sessions.number), now)


def pass_time(conductor: Conductor) -> int:
    """Let what is due next happen, and return its time."""
    now = conductor.deadline_ns()
    assert now is not None
    conductor.tick(now)
    return now


def fail(conductor: Conductor, code: str, now: int) -> None:
    conductor.on_report(Failed(conductor.sessions.number, Cause(code, code), permanent=False), now)


def silent_until_climbing(conductor: Conductor, notes: Notes) -> int:
    """Stay silent whatever is done, until a device-level rung is climbed."""
    now = fall_silent(conductor)
    conductor.on_report(StreamRestarted(conductor.sessions.number), now)
    while conductor.retries.climbing is None:
        now = pass_time(conductor)
        if state_of(conductor) is State.OPENING:
            opened(conductor, notes, now)
    return now


def test_a_camera_that_stays_silent_is_climbed_rung_by_rung_with_the_device_closed(
    conductor: Conductor, notes: Notes
) -> None:
    began = 201 * S
    now = silent_until_climbing(conductor, notes)
    assert notes.taken() == ["restart_stream", "close", OPEN, "close", "rebind"]
    assert conductor.retries.climber.document()["rung"] == "rebind"
    conductor.on_report(Climbed(conductor.sessions.number, Rung.REBIND, DONE), now)
    opened(conductor, notes, now)
    now = pass_time(conductor)
    assert state_of(conductor) is State.BACKOFF
    now = pass_time(conductor)
    assert notes.taken() == [OPEN, "close", "usb-reset"]
    assert now - began < 8 * S
    conductor.on_report(Climbed(conductor.sessions.number, Rung.USB_RESET, DONE), now)
    opened(conductor, notes, now)
    frames(conductor, notes, now)
    assert state_of(conductor) is State.STREAMING
    assert conductor.retries.failures == 0


def test_a_camera_that_stays_dead_for_an_hour_is_hardly_touched(
    conductor: Conductor, notes: Notes
) -> None:
    now, looks, resets = fall_silent(conductor), 0, []
    conductor.on_report(StreamRestarted(conductor.sessions.number), now)
    while now < 3800 * S:
        now, looks = pass_time(conductor), looks + 1
        if conductor.retries.climbing is not None:
            if conductor.retries.climbing is not Rung.REBIND:
                resets.append(now)
            climbed = Climbed(conductor.sessions.number, conductor.retries.climbing, DONE)
            conductor.on_report(climbed, now)
        if state_of(conductor) is State.OPENING:
            opened(conductor, notes, now)
        elif state_of(conductor) is State.STALLED:
            conductor.on_report(StreamRestarted(conductor.sessions.number), now)
    assert all(later - earlier >= 30 * S for earlier, later in pairwise(resets))
    assert all(last - first >= 600 * S for first, last in zip(resets, resets[3:], strict=False))
    assert 3 <= len(resets) <= 18
    assert looks < 3000
    assert 600 < notes.taken().count(OPEN) < 900


def test_a_rung_that_could_not_be_carried_out_is_followed_by_the_next_at_once(
    conductor: Conductor, notes: Notes
) -> None:
    now = silent_until_climbing(conductor, notes)
    notes.taken()
    refused = Outcome(Result.UNAVAILABLE, "no permission", "grant it")
    conductor.on_report(Climbed(conductor.sessions.number, Rung.REBIND, refused), now)
    assert state_of(conductor) is State.BACKOFF
    assert conductor.deadline_ns() == now
    conductor.tick(now)
    assert notes.taken() == ["usb-reset"]
    unavailable = conductor.retries.climber.document()["unavailable"]
    assert unavailable == [{"rung": "rebind", "reason": "no permission", "remedy": "grant it"}]


def test_rungs_that_are_known_not_to_be_available_are_not_tried(
    conductor: Conductor, notes: Notes
) -> None:
    none = tuple(Unavailable(rung, "no") for rung in DEVICE_LEVEL)
    conductor.on_report(Surveyed(conductor.sessions.number, none), 201 * S)
    now = fall_silent(conductor)
    conductor.on_report(StreamRestarted(conductor.sessions.number), now)
    pass_time(conductor)
    began = pass_time(conductor)
    opened(conductor, notes, began)
    now = pass_time(conductor)
    assert conductor.retries.climber.document()["next"] == "give-up"
    climber = conductor.retries.climber
    assert climber.step is not None
    assert climber.step.due_ns == now + 30 * S
    assert conductor.retries.due_ns == began + 4 * S
    assert notes.taken() == ["restart_stream", "close", OPEN, "close"]


def test_a_device_that_appears_because_of_our_own_reset_does_not_interrupt_it(
    conductor: Conductor, notes: Notes
) -> None:
    now = silent_until_climbing(conductor, notes)
    notes.taken()
    conductor.device_added(now)
    assert conductor.retries.climbing is Rung.REBIND
    assert notes.taken() == []


def test_a_person_ends_a_climb(conductor: Conductor, notes: Notes) -> None:
    now = silent_until_climbing(conductor, notes)
    climb, _ = conductor.sessions.number, notes.taken()
    conductor.start(now)
    assert notes.taken() == [OPEN]
    conductor.on_report(Climbed(climb, Rung.REBIND, DONE), now)
    assert state_of(conductor) is State.OPENING
    assert notes.taken() == []


def test_a_stop_during_a_climb_closes_so_that_the_climb_is_interrupted(
    conductor: Conductor, notes: Notes
) -> None:
    now = silent_until_climbing(conductor, notes)
    notes.taken()
    conductor.stop(now)
    assert notes.taken() == ["close"]
    assert conductor.deadline_ns() is None


def test_a_busy_device_is_opened_again_as_soon_as_its_holder_has_let_go(
    conductor: Conductor, notes: Notes
) -> None:
    fail(conductor, "device-busy", 210 * S)
    now = pass_time(conductor)
    assert now - 210 * S == S // 100
    assert notes.taken() == ["wait-for-holder"]
    conductor.on_report(Climbed(conductor.sessions.number, Rung.WAIT_FOR_HOLDER, DONE), now + 3 * S)
    assert notes.taken() == [OPEN]


def test_a_holder_that_does_not_let_go_is_watched_while_the_camera_is_given_up(
    conductor: Conductor, notes: Notes
) -> None:
    fail(conductor, "device-busy", 210 * S)
    pass_time(conductor)
    nothing = Outcome(Result.NOTHING, "process 1 still has it")
    conductor.on_report(Climbed(conductor.sessions.number, Rung.WAIT_FOR_HOLDER, nothing), 217 * S)
    end_holder = (Unavailable(Rung.END_HOLDER, "not allowed"),)
    conductor.on_report(Surveyed(conductor.sessions.number, end_holder), 217 * S)
    fail(conductor, "device-busy", 217 * S)
    assert conductor.retries.climber.document()["next"] == "give-up"
    assert notes.taken() == ["wait-for-holder", OPEN, "give-up"]
    conductor.on_report(Climbed(conductor.sessions.number, Rung.GIVE_UP, nothing), 217 * S)
    assert conductor.retries.due_ns == 217 * S + S // 10  # a look, however long it is watched
    conductor.on_report(Climbed(conductor.sessions.number, Rung.GIVE_UP, DONE), 217 * S + 1)
    assert notes.taken() == [OPEN]


def test_a_reset_by_hand_closes_first_and_opens_after(conductor: Conductor, notes: Notes) -> None:
    plan = conductor.source.plan
    assert conductor.reset(Rung.USB_RESET, 210 * S) is None
    assert notes.taken() == ["close", "usb-reset"]
    cause = conductor.cause(210 * S)
    assert cause is not None
    assert cause.code == "reset"
    again = conductor.reset(Rung.USB_RESET, 210 * S)
    assert again is not None
    assert "under way" in again.reason
    conductor.on_report(Climbed(conductor.sessions.number, Rung.USB_RESET, DONE), 211 * S)
    assert notes.taken() == [OPEN]
    # Another plan would be another source, which does not know what `auto` or a number has meant.
    assert conductor.source.plan is plan


def test_a_reset_by_hand_that_fails_opens_the_camera_all_the_same(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.reset(Rung.USB_RESET, 210 * S)
    refused = Outcome(Result.UNAVAILABLE, "no permission")
    conductor.on_report(Climbed(conductor.sessions.number, Rung.USB_RESET, refused), 211 * S)
    assert notes.taken() == ["close", "usb-reset", OPEN]


def test_a_reset_by_hand_after_a_permanent_failure_is_carried_out(
    conductor: Conductor, notes: Notes
) -> None:
    no_encoder = Cause("no-encoder", "its pictures cannot be encoded")
    conductor.on_report(Failed(conductor.sessions.number, no_encoder, True), 209 * S)
    assert state_of(conductor) is State.FAILED
    assert conductor.reset(Rung.USB_RESET, 210 * S) is None
    assert notes.taken() == ["usb-reset"]
    conductor.on_report(Climbed(conductor.sessions.number, Rung.USB_RESET, DONE), 211 * S)
    assert notes.taken() == [OPEN]


def test_a_start_right_after_an_open_brings_no_reset_forward(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.reset(Rung.USB_RESET, 205 * S)
    conductor.on_report(Climbed(conductor.sessions.number, Rung.USB_RESET, DONE), 206 * S)
    fail(conductor, "refused-stream", 206 * S)
    assert conductor.retries.climber.document()["next"] == "reauthorize"
    step = conductor.retries.climber.step
    assert step is not None
    assert step.due_ns == 235 * S  # one in 30 s
    notes.taken()
    conductor.start(206 * S + S // 2)
    assert pass_time(conductor) == 207 * S
    assert notes.taken() == [OPEN]
    fail(conductor, "refused-stream", 208 * S)
    while (now := pass_time(conductor)) < 235 * S:
        assert notes.taken() == [OPEN]
        fail(conductor, "refused-stream", now)
    assert (now, notes.taken()) == (235 * S, ["reauthorize"])


def test_a_camera_that_begins_from_cold_gets_the_time_of_an_unknown_one(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.reset(Rung.USB_RESET, 210 * S)
    conductor.on_report(Climbed(conductor.sessions.number, Rung.USB_RESET, DONE), 211 * S)
    opened(conductor, notes, 211 * S)
    assert conductor.deadline_ns() == 216 * S


def test_a_stopped_capture_is_not_reset(conductor: Conductor, notes: Notes) -> None:
    conductor.stop(210 * S)
    notes.taken()
    objection = conductor.reset(Rung.USB_RESET, 211 * S)
    assert objection is not None
    assert "start" in objection.remedy
    assert notes.taken() == []


def test_a_known_camera_gets_as_long_as_it_takes_for_its_first_frame_an_unknown_one_5_s(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.stop(210 * S)
    conductor.start(220 * S)
    opened(conductor, notes, 220 * S)
    assert conductor.deadline_ns() == 222 * S
    conductor.configure(Plan(CAMERA.spec, Request(320, 240)), 221 * S)
    opened(conductor, notes, 221 * S)
    assert conductor.deadline_ns() == 226 * S
