"""A camera that is lent: let go of, named as lent, and taken back by time or by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from framebus.contract.words import Rung, State

from capture_daemon.capturing.reports import Closed, Opened
from capture_daemon.diagnosis.incidents import Incident
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.lifecycle.outage import Outage
from tests.rigs.controllers import CAMERA, GRANTED, Notes, S, fail, state_of, streaming

CHEESE = Lease("7a", "/dev/video0", "cheese", 70 * S)


@pytest.fixture
def lent(notes: Notes) -> CaptureController:
    controller = streaming(CAMERA, notes)
    controller.lend(CHEESE, 10 * S)
    return controller


def code(controller: CaptureController) -> str:
    cause = controller.cause(11 * S)
    assert cause is not None
    return cause.code


def test_it_is_lent_once_the_device_is_really_closed(lent: CaptureController, notes: Notes) -> None:
    assert lent.state is State.LENT
    assert notes.done[-1] == "close"
    assert code(lent) == "closing"
    assert "lent" in str(lent.cause(11 * S))
    lent.on_report(Closed(lent.sessions.number), 11 * S)
    assert code(lent) == "lent"
    told = lent.snapshot(11 * S)
    assert (told.lease, told.retry_ns, told.incident) == (CHEESE, 70 * S, None)


def test_it_comes_back_when_the_time_is_up(lent: CaptureController, notes: Notes) -> None:
    assert lent.deadline_ns() == 70 * S
    lent.tick(70 * S - 1)
    assert state_of(lent) is State.LENT
    lent.tick(70 * S)
    assert (state_of(lent), notes.done[-1]) == (State.OPENING, "open v4l2:/dev/video0")
    assert lent.lease is None


def test_its_holder_gives_it_back(lent: CaptureController, notes: Notes) -> None:
    assert lent.give_back("7a", 20 * S)
    assert (lent.state, notes.done[-1]) == (State.OPENING, "open v4l2:/dev/video0")
    assert not lent.give_back("7a", 21 * S), "once is all"


def test_it_is_not_opened_again_at_once_after_it_was_opened_last(notes: Notes) -> None:
    controller = streaming(CAMERA, notes)
    opened_ns = controller.sessions.again_ns
    controller.lend(CHEESE, opened_ns - 2)
    assert controller.give_back("7a", opened_ns - 1)
    assert (state_of(controller), controller.deadline_ns()) == (State.LENT, opened_ns)
    controller.tick(opened_ns)
    assert state_of(controller) is State.OPENING


def test_nobody_else_gives_it_back(lent: CaptureController) -> None:
    assert not lent.give_back("8b", 20 * S)
    assert lent.state is State.LENT


def test_what_a_person_has_stopped_meanwhile_stays_stopped(lent: CaptureController) -> None:
    lent.stop(20 * S)
    assert (lent.state, lent.deadline_ns(), lent.lease) == (State.STOPPED, None, None)
    assert not lent.give_back("7a", 30 * S)
    lent.tick(80 * S)
    assert lent.state is State.STOPPED


def test_the_first_to_finish_does_not_take_it_from_the_second(lent: CaptureController) -> None:
    lent.start(20 * S)
    lent.on_report(Opened(lent.sessions.number, GRANTED, "v4l2"), 21 * S)
    lent.lend(Lease("8b", "/dev/video0", "fswebcam", 100 * S), 30 * S)
    assert not lent.give_back("7a", 40 * S)
    lent.tick(70 * S)
    assert lent.state is State.LENT
    assert lent.give_back("8b", 71 * S)


def test_it_comes_back_when_a_person_wants_it(lent: CaptureController) -> None:
    lent.start(20 * S)
    assert (lent.state, lent.lease) == (State.OPENING, None)


def test_nothing_else_brings_it_back(lent: CaptureController, notes: Notes) -> None:
    before = list(notes.done)
    lent.device_added(20 * S)
    assert lent.reset(Rung.USB_RESET, 20 * S) is not None
    lent.tick(30 * S)
    assert (lent.state, notes.done) == (State.LENT, before)


def test_it_may_be_lent_for_longer(lent: CaptureController) -> None:
    lent.lend(replace(CHEESE, until_ns=100 * S), 60 * S)
    assert lent.deadline_ns() == 100 * S
    assert lent.give_back("7a", 61 * S)


def test_lending_is_logged_and_told_as_lending(
    notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    incidents: list[Incident] = []
    controller = streaming(CAMERA, notes, Outage(tell=incidents.append))
    fail(controller, 5 * S)
    controller.tick(controller.deadline_ns() or 0)
    controller.on_report(Opened(controller.sessions.number, GRANTED, "v4l2"), 7 * S)
    controller.lend(Lease("7a", "/dev/video0", "che\nese", 70 * S), 10 * S)
    assert caplog.messages[-1] == "lent to che ese for 60 s"
    assert incidents[-1].note == "the camera was lent before frames came back"
    controller.stop(20 * S)
    assert caplog.messages[-1] == "stopped"
