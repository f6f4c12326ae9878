"""The controller on the ladder: which command follows which failure, on a camera."""

from __future__ import annotations

from itertools import pairwise

import pytest
from framebus.contract.words import DEVICE_LEVEL, Rung, State

from capture_daemon.capturing.reports import (
    RungDone,
    StreamRestarted,
    Surveyed,
)
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.recovery.rungs import Outcome, Result, Unavailable
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Request
from tests.rigs.controllers import (
    CAMERA,
    Notes,
    S,
    fail_with,
    frames_come,
    next_rung,
    opened,
    pass_time,
    settled_camera,
    state_of,
)

OPEN = "open v4l2:/dev/video0"
DONE = Outcome(Result.DONE, "done")


@pytest.fixture
def controller(notes: Notes) -> CaptureController:
    return settled_camera(notes)


def silent_until_rungs(controller: CaptureController, notes: Notes) -> int:
    """Stay silent whatever is done, until a device-level rung is carried out."""
    now = pass_time(controller)
    controller.on_report(StreamRestarted(controller.sessions.number), now)
    while controller.retries.under_way is None:
        now = pass_time(controller)
        if state_of(controller) is State.OPENING:
            opened(controller, now)
    return now


def test_a_silent_camera_gets_rung_after_rung_with_the_device_closed(
    controller: CaptureController, notes: Notes
) -> None:
    began = 201 * S
    now = silent_until_rungs(controller, notes)
    assert notes.taken() == ["restart_stream", "close", OPEN, "close", "rebind"]
    assert controller.retries.escalation.rung is Rung.REBIND
    controller.on_report(RungDone(controller.sessions.number, Rung.REBIND, DONE), now)
    opened(controller, now)
    now = pass_time(controller)
    assert state_of(controller) is State.BACKOFF
    now = pass_time(controller)
    assert notes.taken() == [OPEN, "close", "usb-reset"]
    assert now - began < 8 * S
    controller.on_report(RungDone(controller.sessions.number, Rung.USB_RESET, DONE), now)
    opened(controller, now)
    frames_come(controller, notes, now)
    assert state_of(controller) is State.STREAMING
    assert controller.retries.failures == 0


def test_a_camera_that_stays_dead_for_an_hour_is_hardly_touched(
    controller: CaptureController, notes: Notes
) -> None:
    now, looks, resets = pass_time(controller), 0, []
    controller.on_report(StreamRestarted(controller.sessions.number), now)
    while now < 3800 * S:
        now, looks = pass_time(controller), looks + 1
        if controller.retries.under_way is not None:
            if controller.retries.under_way is not Rung.REBIND:
                resets.append(now)
            done = RungDone(controller.sessions.number, controller.retries.under_way, DONE)
            controller.on_report(done, now)
        if state_of(controller) is State.OPENING:
            opened(controller, now)
        elif state_of(controller) is State.STALLED:
            controller.on_report(StreamRestarted(controller.sessions.number), now)
    assert all(later - earlier >= 30 * S for earlier, later in pairwise(resets))
    assert all(last - first >= 600 * S for first, last in zip(resets, resets[3:], strict=False))
    assert 3 <= len(resets) <= 18
    assert looks < 3000
    assert 600 < notes.taken().count(OPEN) < 900


def test_a_rung_that_could_not_be_carried_out_is_followed_by_the_next_at_once(
    controller: CaptureController, notes: Notes
) -> None:
    now = silent_until_rungs(controller, notes)
    notes.taken()
    refused = Outcome(Result.UNAVAILABLE, "no permission", "grant it")
    controller.on_report(RungDone(controller.sessions.number, Rung.REBIND, refused), now)
    assert state_of(controller) is State.BACKOFF
    assert controller.deadline_ns() == now
    controller.tick(now)
    assert notes.taken() == ["usb-reset"]
    unavailable = controller.snapshot(now).recovery.unavailable
    assert unavailable == (Unavailable(Rung.REBIND, "no permission", "grant it"),)


def test_rungs_that_are_known_not_to_be_available_are_not_tried(
    controller: CaptureController, notes: Notes
) -> None:
    none = tuple(Unavailable(rung, "no") for rung in DEVICE_LEVEL)
    controller.on_report(Surveyed(controller.sessions.number, none), 201 * S)
    now = pass_time(controller)
    controller.on_report(StreamRestarted(controller.sessions.number), now)
    pass_time(controller)
    began = pass_time(controller)
    opened(controller, began)
    now = pass_time(controller)
    assert next_rung(controller) is Rung.GIVE_UP
    escalation = controller.retries.escalation
    assert escalation.step is not None
    assert escalation.step.due_ns == now + 30 * S
    assert controller.retries.due_ns == began + 4 * S
    assert notes.taken() == ["restart_stream", "close", OPEN, "close"]


def test_a_device_that_appears_because_of_our_own_reset_does_not_interrupt_it(
    controller: CaptureController, notes: Notes
) -> None:
    now = silent_until_rungs(controller, notes)
    notes.taken()
    controller.device_added(now)
    assert controller.retries.under_way is Rung.REBIND
    assert notes.taken() == []


def test_a_person_ends_a_rung(controller: CaptureController, notes: Notes) -> None:
    now = silent_until_rungs(controller, notes)
    session, _ = controller.sessions.number, notes.taken()
    controller.start(now)
    assert notes.taken() == [OPEN]
    controller.on_report(RungDone(session, Rung.REBIND, DONE), now)
    assert state_of(controller) is State.OPENING
    assert notes.taken() == []


def test_a_stop_during_a_rung_closes_so_that_the_rung_is_interrupted(
    controller: CaptureController, notes: Notes
) -> None:
    now = silent_until_rungs(controller, notes)
    notes.taken()
    controller.stop(now)
    assert notes.taken() == ["close"]
    assert controller.deadline_ns() is None


def test_a_busy_device_is_opened_again_as_soon_as_its_holder_has_let_go(
    controller: CaptureController, notes: Notes
) -> None:
    fail_with(controller, "device-busy", 210 * S)
    now = pass_time(controller)
    assert now - 210 * S == S // 100
    assert notes.taken() == ["wait-for-holder"]
    controller.on_report(
        RungDone(controller.sessions.number, Rung.WAIT_FOR_HOLDER, DONE), now + 3 * S
    )
    assert notes.taken() == [OPEN]


def test_a_holder_that_does_not_let_go_is_watched_while_the_camera_is_given_up(
    controller: CaptureController, notes: Notes
) -> None:
    fail_with(controller, "device-busy", 210 * S)
    pass_time(controller)
    nothing = Outcome(Result.NOTHING, "process 1 still has it")
    controller.on_report(
        RungDone(controller.sessions.number, Rung.WAIT_FOR_HOLDER, nothing), 217 * S
    )
    end_holder = (Unavailable(Rung.END_HOLDER, "not allowed"),)
    controller.on_report(Surveyed(controller.sessions.number, end_holder), 217 * S)
    fail_with(controller, "device-busy", 217 * S)
    assert next_rung(controller) is Rung.GIVE_UP
    assert notes.taken() == ["wait-for-holder", OPEN, "give-up"]
    controller.on_report(RungDone(controller.sessions.number, Rung.GIVE_UP, nothing), 217 * S)
    assert controller.retries.due_ns == 217 * S + S // 10  # a look, however long it is watched
    controller.on_report(RungDone(controller.sessions.number, Rung.GIVE_UP, DONE), 217 * S + 1)
    assert notes.taken() == [OPEN]


def test_a_known_camera_gets_as_long_as_it_takes_for_its_first_frame_an_unknown_one_5_s(
    controller: CaptureController, notes: Notes
) -> None:
    controller.stop(210 * S)
    controller.start(220 * S)
    opened(controller, 220 * S)
    assert controller.deadline_ns() == 222 * S
    controller.configure(CaptureRequest(CAMERA.spec, Request(320, 240)), 221 * S)
    opened(controller, 221 * S)
    assert controller.deadline_ns() == 226 * S
