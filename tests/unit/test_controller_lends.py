"""A camera that is lent: let go of, named as lent, and taken back by time or by hand."""

from __future__ import annotations

import pytest
from framebus.contract.words import Rung, State

from capture_daemon.capturing.reports import Closed
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.lease import Lease
from tests.rigs.controllers import CAMERA, Notes, S, streaming


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def lent(notes: Notes) -> CaptureController:
    controller = streaming(CAMERA, notes)
    controller.lend(Lease(controller.device, "cheese", 70 * S), 10 * S)
    return controller


def code(controller: CaptureController) -> str:
    cause = controller.cause(11 * S)
    assert cause is not None
    return cause.code


def test_it_is_lent_once_the_device_is_really_closed(lent: CaptureController, notes: Notes) -> None:
    assert lent.state is State.LENT
    assert notes.done[-1] == "close"
    assert code(lent) == "closing"
    lent.on_report(Closed(lent.sessions.number), 11 * S)
    assert code(lent) == "lent"
    assert lent.device == "a"
    assert lent.incident() is None


def test_it_comes_back_when_the_time_is_up(lent: CaptureController, notes: Notes) -> None:
    assert lent.deadline_ns() == 70 * S
    lent.tick(70 * S - 1)
    assert lent.state is State.LENT
    lent.tick(70 * S)
    assert (lent.state, notes.done[-1]) == (State.OPENING, "open v4l2:/dev/video0")


def test_it_comes_back_when_a_person_wants_it(lent: CaptureController) -> None:
    lent.start(20 * S)
    assert lent.state is State.OPENING


def test_nothing_else_brings_it_back(lent: CaptureController, notes: Notes) -> None:
    before = list(notes.done)
    lent.device_added(20 * S)
    assert lent.reset(Rung.USB_RESET, 20 * S) is not None
    lent.tick(30 * S)
    assert (lent.state, notes.done) == (State.LENT, before)


def test_it_may_be_lent_for_longer(lent: CaptureController) -> None:
    lent.lend(Lease(lent.device, "cheese", 100 * S), 60 * S)
    assert lent.deadline_ns() == 100 * S


def test_a_stopped_one_that_was_lent_stays_stopped(lent: CaptureController) -> None:
    lent.stop(20 * S)
    assert (lent.state, lent.deadline_ns(), lent.device) == (State.STOPPED, None, "")
