"""Resets that a person asks for: how the controller carries them out, and when it will not."""

from __future__ import annotations

import pytest
from framebus.contract.causes import Cause
from framebus.contract.words import Rung, State

from capture_daemon.capturing.reports import (
    Failed,
    RungDone,
)
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.recovery.rungs import Outcome, Result
from tests.rigs.controllers import (
    Notes,
    S,
    fail_with,
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


def test_a_reset_by_hand_closes_first_and_opens_after(
    controller: CaptureController, notes: Notes
) -> None:
    request = controller.source.request
    assert controller.reset(Rung.USB_RESET, 210 * S) is None
    assert notes.taken() == ["close", "usb-reset"]
    cause = controller.cause(210 * S)
    assert cause is not None
    assert cause.code == "reset"
    again = controller.reset(Rung.USB_RESET, 210 * S)
    assert again is not None
    assert "under way" in again.reason
    controller.on_report(RungDone(controller.sessions.number, Rung.USB_RESET, DONE), 211 * S)
    assert notes.taken() == [OPEN]
    # Another request makes another source, which does not know what `auto` or a number meant.
    assert controller.source.request is request


def test_a_reset_by_hand_that_fails_opens_the_camera_all_the_same(
    controller: CaptureController, notes: Notes
) -> None:
    controller.reset(Rung.USB_RESET, 210 * S)
    refused = Outcome(Result.UNAVAILABLE, "no permission")
    controller.on_report(RungDone(controller.sessions.number, Rung.USB_RESET, refused), 211 * S)
    assert notes.taken() == ["close", "usb-reset", OPEN]


def test_a_reset_by_hand_after_a_permanent_failure_is_carried_out(
    controller: CaptureController, notes: Notes
) -> None:
    no_encoder = Cause("no-encoder", "its pictures cannot be encoded")
    controller.on_report(Failed(controller.sessions.number, no_encoder, True), 209 * S)
    assert state_of(controller) is State.FAILED
    assert controller.reset(Rung.USB_RESET, 210 * S) is None
    assert notes.taken() == ["usb-reset"]
    controller.on_report(RungDone(controller.sessions.number, Rung.USB_RESET, DONE), 211 * S)
    assert notes.taken() == [OPEN]


def test_a_start_right_after_an_open_brings_no_reset_forward(
    controller: CaptureController, notes: Notes
) -> None:
    controller.reset(Rung.USB_RESET, 205 * S)
    controller.on_report(RungDone(controller.sessions.number, Rung.USB_RESET, DONE), 206 * S)
    fail_with(controller, "refused-stream", 206 * S)
    assert next_rung(controller) is Rung.REAUTHORIZE
    step = controller.retries.escalation.step
    assert step is not None
    assert step.due_ns == 235 * S  # one in 30 s
    notes.taken()
    controller.start(206 * S + S // 2)
    assert pass_time(controller) == 207 * S
    assert notes.taken() == [OPEN]
    fail_with(controller, "refused-stream", 208 * S)
    while (now := pass_time(controller)) < 235 * S:
        assert notes.taken() == [OPEN]
        fail_with(controller, "refused-stream", now)
    assert (now, notes.taken()) == (235 * S, ["reauthorize"])


def test_a_camera_that_begins_from_cold_gets_the_time_of_an_unknown_one(
    controller: CaptureController, notes: Notes
) -> None:
    controller.reset(Rung.USB_RESET, 210 * S)
    controller.on_report(RungDone(controller.sessions.number, Rung.USB_RESET, DONE), 211 * S)
    opened(controller, 211 * S)
    assert controller.deadline_ns() == 216 * S


def test_a_stopped_capture_is_not_reset(controller: CaptureController, notes: Notes) -> None:
    controller.stop(210 * S)
    notes.taken()
    objection = controller.reset(Rung.USB_RESET, 211 * S)
    assert objection is not None
    assert "start" in objection.remedy
    assert notes.taken() == []
