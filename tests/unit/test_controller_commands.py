"""The controller and people: restarts that coalesce, new requests, and what is old news by then."""

from __future__ import annotations

from framebus.contract.causes import Cause
from framebus.contract.words import State

from capture_daemon.capturing.reports import Closed, Failed, FrameSeen
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Request
from tests.rigs.controllers import (
    Notes,
    S,
    fail,
    state_of,
    stream,
)


def test_fifty_restarts_in_a_second_are_one_restart(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    restarted = [controller.restart(210 * S + n * S // 50) for n in range(50)]
    assert restarted.count(True) == 1
    assert notes.taken() == ["close", "open test"]


def test_a_restart_soon_after_an_open_is_that_open_though_frames_flow_already(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    again_ns = controller.sessions.again_ns
    assert not controller.restart(again_ns - 1)
    assert notes.taken() == []
    assert controller.restart(again_ns)
    assert notes.taken() == ["close", "open test"]


def test_fifty_starts_in_a_second_do_not_hammer_a_camera_that_fails(
    controller: CaptureController, notes: Notes
) -> None:
    controller.start(200 * S)
    for n in range(50):
        now = 200 * S + n * S // 50
        controller.tick(now)
        if state_of(controller) is State.OPENING:
            fail(controller, now)
        controller.start(now)
    assert notes.taken().count("open test") <= 3


def test_a_new_plan_closes_the_old_source_and_opens_the_new_one(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    request = CaptureRequest(spec.parse("test"), Request(320, 240))
    assert controller.configure(request, 201 * S)
    assert notes.taken() == ["close", "open test"]
    assert not controller.configure(request, 202 * S)
    assert notes.taken() == []


def test_configuring_while_stopped_opens_nothing(
    controller: CaptureController, notes: Notes
) -> None:
    controller.configure(CaptureRequest(spec.parse("test"), Request(320, 240)), 200 * S)
    assert state_of(controller) is State.STOPPED
    assert notes.taken() == []


def test_what_an_earlier_session_reports_is_old_news(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    old = controller.sessions.number
    controller.restart(210 * S)
    controller.on_report(Failed(old, Cause("device-gone", "gone"), permanent=True), 211 * S)
    controller.on_report(FrameSeen(old, 1, 1), 211 * S)
    assert state_of(controller) is State.OPENING


def test_stopped_says_so_once_the_source_is_really_closed(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    controller.stop(201 * S)
    closing, closed = controller.cause(201 * S), None
    controller.on_report(Closed(controller.sessions.number), 202 * S)
    closed = controller.cause(202 * S)
    assert closing is not None
    assert closed is not None
    assert (closing.code, closed.code) == ("closing", "stopped")
