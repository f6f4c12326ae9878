"""A camera that nobody watches: closed after its time, opened for whoever wants frames."""

from __future__ import annotations

import pytest
from framebus.contract.words import Rung, State
from framebus.control.protocol import NOT_NOW

from capture_daemon.capturing.reports import Closed
from capture_daemon.control import lending
from capture_daemon.control.refusal import Refusal
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.demand import Demand
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.sources.base import Granted, Request
from tests.rigs.controllers import (
    CAMERA,
    TEST,
    Notes,
    S,
    fail,
    fallback_of,
    frames_come,
    opened,
    pass_time,
    state_of,
    stream,
)

VIEWER = (1000, "viewer")


@pytest.fixture
def camera(notes: Notes) -> CaptureController:
    """One that streams since 200 s, and rests after 60 s."""
    camera = resting_camera(notes)
    stream(camera, notes, 200 * S)
    return camera


def resting_camera(notes: Notes) -> CaptureController:
    demand = Demand(idle_after_s=60.0)
    return CaptureController(
        capture=notes, request=CAMERA, jitter=lambda: 0.0, now_ns=100 * S, demand=demand
    )


def rest(camera: CaptureController, notes: Notes) -> None:
    """Let the time pass in which nobody watches, while frames come."""
    notes.arrived = 260 * S
    camera.tick(260 * S)
    notes.taken()
    camera.on_report(Closed(camera.sessions.number), 260 * S)


def granted_at(node: str) -> Granted:
    return Granted("MJPG", 640, 480, 30.0, device=f"{node} (a camera)")


def ask(camera: CaptureController, now_ns: int) -> None:
    camera.demand.ask(VIEWER, now_ns + 15 * S, now_ns)
    camera.wake(now_ns)


def code(camera: CaptureController, now_ns: int = 261 * S) -> str:
    cause = camera.cause(now_ns)
    return cause.code if cause else ""


def test_it_is_closed_when_nobody_has_wanted_frames_for_its_time(
    camera: CaptureController, notes: Notes
) -> None:
    notes.arrived = 260 * S - 1
    camera.tick(260 * S - 1)
    assert (state_of(camera), notes.taken()) == (State.STREAMING, [])
    camera.tick(260 * S)
    assert (state_of(camera), notes.taken()) == (State.IDLE, ["close"])
    assert code(camera) == "closing"
    camera.on_report(Closed(camera.sessions.number), 261 * S)
    cause = camera.cause(261 * S)
    assert cause is not None
    assert (cause.code, cause.message) == ("idle", "off, nobody watches")
    assert camera.deadline_ns() is None, "nothing is due until somebody comes"


def test_it_is_called_when_its_rest_is_due_and_when_a_lease_ends(
    camera: CaptureController, notes: Notes
) -> None:
    camera.demand.ask(VIEWER, 215 * S, 200 * S)
    notes.arrived = 299 * S  # so that no silence is due before
    assert camera.deadline_ns() == 215 * S
    camera.tick(215 * S)
    assert camera.deadline_ns() == 260 * S


def test_a_rest_is_no_incident_and_no_failure(camera: CaptureController, notes: Notes) -> None:
    rest(camera, notes)
    told = camera.snapshot(261 * S)
    assert (told.incident, told.attempts, told.retry_ns) == (None, 0, None)
    assert not camera.outage.given_up


def test_whoever_wants_frames_wakes_it_and_it_rests_again_after_him(
    camera: CaptureController, notes: Notes
) -> None:
    rest(camera, notes)
    ask(camera, 300 * S)
    assert (state_of(camera), notes.taken()) == (State.OPENING, ["open v4l2:/dev/video0"])
    assert code(camera, 300 * S) == "opening"
    opened(camera, 301 * S)
    frames_come(camera, notes, 301 * S)
    assert code(camera, 301 * S) == ""
    notes.arrived = 361 * S
    camera.tick(361 * S)
    assert state_of(camera) is State.IDLE


def test_it_stays_on_while_a_lease_is_renewed(camera: CaptureController, notes: Notes) -> None:
    for second in range(200, 500, 5):
        ask(camera, second * S)
        notes.arrived = second * S
        camera.tick(second * S)
    assert (state_of(camera), notes.taken()) == (State.STREAMING, [])


def test_a_camera_that_is_away_is_got_back_before_it_rests(
    camera: CaptureController, notes: Notes
) -> None:
    fail(camera, 250 * S)
    camera.tick(261 * S)
    assert state_of(camera) is State.OPENING, "it is tried again though nobody watches"
    fail(camera, 262 * S)
    incident = camera.outage.incident
    assert incident is not None
    pass_time(camera)
    opened(camera, 270 * S)
    frames_come(camera, notes, 270 * S, settled=False)
    notes.arrived = 400 * S
    camera.tick(400 * S)
    assert state_of(camera) is State.STREAMING, "it has proved nothing yet"


def test_a_camera_that_does_not_wake_is_an_incident_as_at_any_time(
    camera: CaptureController, notes: Notes
) -> None:
    rest(camera, notes)
    ask(camera, 300 * S)
    fail(camera, 301 * S)
    assert (state_of(camera), code(camera, 301 * S)) == (State.BACKOFF, "device-gone")
    assert camera.outage.incident is not None
    assert camera.outage.incident.state == "opening"


def test_a_stop_outranks_whoever_wants_frames(camera: CaptureController, notes: Notes) -> None:
    rest(camera, notes)
    camera.stop(300 * S)
    ask(camera, 301 * S)
    assert (state_of(camera), code(camera, 301 * S)) == (State.STOPPED, "stopped")
    assert notes.taken() == []


@pytest.mark.parametrize("command", ["start", "restart"])
def test_a_person_has_it_on_for_its_time(
    camera: CaptureController, notes: Notes, command: str
) -> None:
    rest(camera, notes)
    getattr(camera, command)(300 * S)
    assert (state_of(camera), notes.taken()) == (State.OPENING, ["open v4l2:/dev/video0"])
    opened(camera, 301 * S)
    frames_come(camera, notes, 302 * S)
    notes.arrived = 362 * S
    camera.tick(362 * S - 1)
    assert state_of(camera) is State.STREAMING
    camera.tick(362 * S)
    assert state_of(camera) is State.IDLE


def test_what_is_configured_while_it_rests_is_asked_for_when_it_wakes(
    camera: CaptureController, notes: Notes
) -> None:
    rest(camera, notes)
    assert camera.configure(TEST, 300 * S)
    assert (state_of(camera), notes.taken()) == (State.IDLE, [])
    ask(camera, 301 * S)
    assert notes.taken() == ["open test"]


def test_no_reset_is_made_of_a_camera_that_rests(camera: CaptureController, notes: Notes) -> None:
    rest(camera, notes)
    assert camera.reset(Rung.USB_RESET, 300 * S) is not None
    assert (state_of(camera), notes.taken()) == (State.IDLE, [])


def test_it_is_lent_without_being_opened_first(camera: CaptureController, notes: Notes) -> None:
    camera.source = camera.source.opened(granted_at("/dev/video0"), "v4l2")
    rest(camera, notes)
    lent = lending.lend(camera, now_ns=300 * S, seconds=30.0, to="cheese")
    assert lent["device"] == "/dev/video0"
    assert (state_of(camera), notes.taken()) == (State.LENT, [])
    ask(camera, 310 * S)
    assert state_of(camera) is State.LENT, "whoever watches does not take it back"
    camera.tick(330 * S)
    assert (state_of(camera), notes.taken()) == (State.OPENING, ["open v4l2:/dev/video0"])


def test_a_device_that_appears_meanwhile_may_have_taken_its_node(
    camera: CaptureController, notes: Notes
) -> None:
    camera.source = camera.source.opened(granted_at("/dev/video0"), "v4l2")
    rest(camera, notes)
    camera.device_added(290 * S)
    assert (state_of(camera), notes.taken()) == (State.IDLE, []), "nobody wants it the more for it"
    with pytest.raises(Refusal, match="ctl start") as refused:
        lending.lend(camera, now_ns=300 * S, seconds=30.0, to="cheese")
    assert refused.value.code == NOT_NOW


def test_a_lease_of_the_camera_does_not_end_in_a_rest(
    camera: CaptureController, notes: Notes
) -> None:
    camera.lend(Lease("7a", "/dev/video0", "cheese", 400 * S), 210 * S)
    camera.tick(390 * S)
    assert state_of(camera) is State.LENT


def test_a_daemon_whose_predecessor_rested_opens_nothing_until_somebody_comes(
    notes: Notes,
) -> None:
    camera = resting_camera(notes)
    camera.begin_at_rest(200 * S)
    assert (state_of(camera), code(camera), notes.taken()) == (State.IDLE, "idle", [])
    ask(camera, 201 * S)
    assert notes.taken() == ["open v4l2:/dev/video0"]


def test_a_fallback_is_not_wanted_while_its_camera_rests(
    camera: CaptureController, notes: Notes
) -> None:
    fallback = fallback_of(camera, spec=TEST.spec)
    rest(camera, notes)
    fallback.tick(300 * S)
    assert not fallback.wanted
    assert state_of(fallback.own) is State.STOPPED


def test_without_the_option_it_never_rests(controller: CaptureController, notes: Notes) -> None:
    stream(controller, notes, 200 * S)
    notes.arrived = 90_000 * S
    controller.tick(90_000 * S)
    assert state_of(controller) is State.STREAMING


def test_the_request_of_before_is_what_is_opened(camera: CaptureController, notes: Notes) -> None:
    smaller = type(CAMERA)(CAMERA.spec, Request(320, 240))
    assert camera.configure(smaller, 201 * S)
    opened(camera, 202 * S)
    frames_come(camera, notes, 202 * S)
    notes.arrived = 262 * S
    camera.tick(262 * S)
    assert state_of(camera) is State.IDLE
    ask(camera, 300 * S)
    assert camera.source.request.format == Request(320, 240)
