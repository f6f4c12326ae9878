"""When the fallback is captured, when viewers see it, and when it makes way for the camera."""

from __future__ import annotations

import pytest
from framebus.contract.words import State

from capture_daemon.capturing.reports import FrameSeen, Opened, Settled
from capture_daemon.diagnosis.incidents import Incident
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.fallback import Fallback, fallback_request
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.lifecycle.outage import Outage
from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from tests.rigs.controllers import (
    CAMERA,
    GRANTED,
    Air,
    Notes,
    S,
    fail,
    fail_until_given_up,
    fallback_of,
    stream,
)

TEST = spec.parse("test")


class Desk:
    """A camera, its fallback and the switcher, all imitated."""

    def __init__(self, request: CaptureRequest = CAMERA, *, now_ns: int = 100 * S) -> None:
        self.now_ns = now_ns
        self.incidents: list[Incident] = []
        self.camera_notes, self.notes, self.air = Notes(), Notes(), Air()
        self.camera = CaptureController(
            capture=self.camera_notes,
            request=request,
            jitter=lambda: 0.0,
            now_ns=0,
            outage=Outage(tell=self.incidents.append, clock=lambda: self.now_ns, utc=lambda: 0),
        )
        self.fallback: Fallback = fallback_of(
            self.camera, notes=self.notes, air=self.air, spec=TEST
        )

    def tick(self) -> None:
        self.fallback.tick(self.now_ns)

    def give_up(self) -> None:
        """Let the camera fail until there is nothing left to try."""
        self.now_ns = fail_until_given_up(self.camera, self.now_ns)
        self.tick()

    def stream_fallback(self) -> None:
        number = self.fallback.own.sessions.number
        for report in (Opened(number, GRANTED, "test"), FrameSeen(number, 64, 48)):
            self.fallback.own.on_report(report, self.now_ns)
        self.tick()

    def come_back(self, *, settled: bool = True) -> None:
        """Let the camera's next try succeed."""
        due_ns = self.camera.deadline_ns()
        assert due_ns is not None
        self.now_ns = due_ns
        self.camera.tick(due_ns)
        stream(self.camera, self.camera_notes, due_ns, settled=settled)
        self.tick()

    def shown(self) -> bool:
        return self.fallback.shown_ns is not None


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_it_is_not_opened_while_there_is_something_left_to_try(desk: Desk) -> None:
    desk.camera.start(desk.now_ns)
    fail(desk.camera, desk.now_ns)
    desk.tick()
    assert (desk.notes.done, desk.air.fallback) == ([], False)


def test_it_is_opened_once_the_camera_is_given_up_and_shown_once_it_streams(desk: Desk) -> None:
    desk.give_up()
    assert (desk.notes.done, desk.air.fallback, desk.shown()) == (["open test"], True, False)
    desk.stream_fallback()
    assert desk.fallback.shown_ns == desk.now_ns


def test_the_cameras_tries_go_on_meanwhile(desk: Desk) -> None:
    desk.give_up()
    desk.stream_fallback()
    assert desk.camera.state is State.BACKOFF
    due_ns = desk.camera.deadline_ns()
    assert due_ns is not None
    desk.camera_notes.taken()
    desk.camera.tick(due_ns)
    assert desk.camera_notes.taken() == ["open v4l2:/dev/video0"]
    desk.tick()
    assert desk.shown()


def test_a_device_that_appears_is_opened_meanwhile(desk: Desk) -> None:
    desk.give_up()
    desk.camera_notes.taken()
    desk.camera.device_added(desk.now_ns)
    assert desk.camera_notes.taken() == ["open v4l2:/dev/video0"]


def test_it_makes_way_for_the_cameras_first_frame_and_is_closed_once_that_has_settled(
    desk: Desk,
) -> None:
    desk.give_up()
    desk.stream_fallback()
    desk.notes.taken()
    desk.come_back(settled=False)
    assert (desk.air.fallback, desk.shown(), desk.notes.done) == (False, False, [])
    desk.camera.on_report(Settled(desk.camera.sessions.number), desk.now_ns)
    desk.tick()
    assert desk.notes.done == ["close"]
    assert desk.fallback.own.state is State.STOPPED


def test_a_camera_that_fails_again_before_it_has_settled_gives_way_at_once(desk: Desk) -> None:
    desk.give_up()
    desk.stream_fallback()
    desk.come_back(settled=False)
    fail(desk.camera, desk.now_ns)
    desk.tick()
    assert (desk.air.fallback, desk.shown()) == (True, True)


def test_a_camera_that_was_well_for_a_moment_only_is_not_waited_for_through_a_whole_lap(
    desk: Desk,
) -> None:
    desk.give_up()
    desk.come_back()
    assert not desk.fallback.wanted
    desk.now_ns += 3 * S
    fail(desk.camera, desk.now_ns)
    desk.tick()
    assert desk.fallback.wanted


def test_a_camera_that_was_well_for_long_gets_all_the_tries_again(desk: Desk) -> None:
    desk.give_up()
    desk.come_back()
    desk.now_ns += 60 * S
    fail(desk.camera, desk.now_ns)
    desk.tick()
    assert not desk.fallback.wanted


def test_what_a_person_must_mend_is_bridged_at_once(desk: Desk) -> None:
    desk.camera.start(desk.now_ns)
    fail(desk.camera, desk.now_ns, permanent=True)
    desk.tick()
    assert desk.notes.done == ["open test"]


def test_a_source_without_an_end_to_its_ladder_is_given_up_after_three_tries() -> None:
    desk = Desk(CaptureRequest(spec.parse("http://127.0.0.1/")))
    desk.camera.start(desk.now_ns)
    for wanted in (False, False, False, True, True):
        fail(desk.camera, desk.now_ns)
        desk.tick()
        assert desk.fallback.wanted is wanted
        due_ns = desk.camera.deadline_ns()
        assert due_ns is not None
        desk.now_ns = due_ns
        desk.camera.tick(due_ns)


def test_a_driver_that_does_not_return_is_given_up_since_no_rung_can_be_tried(desk: Desk) -> None:
    desk.camera.start(desk.now_ns)
    desk.camera_notes.stuck = ("opening", desk.now_ns)
    for blocked_s, wanted in ((9, False), (11, True)):
        desk.camera.tick(desk.now_ns + blocked_s * S)
        desk.tick()
        assert desk.fallback.wanted is wanted


def test_a_person_who_stops_the_camera_sees_no_fallback(desk: Desk) -> None:
    desk.give_up()
    desk.stream_fallback()
    desk.notes.taken()
    desk.camera.stop(desk.now_ns)
    desk.tick()
    assert (desk.notes.done, desk.air.fallback, desk.shown()) == (["close"], False, False)
    desk.camera.start(desk.now_ns + 10 * S)
    desk.tick()
    assert not desk.fallback.wanted, "it is tried anew"


def test_a_camera_that_is_lent_shows_no_fallback(desk: Desk) -> None:
    desk.give_up()
    due_ns = desk.camera.deadline_ns()
    assert due_ns is not None
    desk.now_ns = due_ns
    desk.camera.tick(due_ns)
    desk.camera.on_report(Opened(desk.camera.sessions.number, GRANTED, "v4l2"), due_ns)
    desk.tick()
    assert desk.fallback.wanted
    desk.camera.lend(Lease("1", "/dev/video0", "cheese", desk.now_ns + 60 * S), desk.now_ns)
    desk.tick()
    assert not desk.fallback.wanted


def test_a_restart_by_hand_leaves_the_fallback_on_until_there_are_frames(desk: Desk) -> None:
    desk.give_up()
    desk.stream_fallback()
    desk.now_ns += 60 * S
    desk.camera.restart(desk.now_ns)
    desk.tick()
    assert desk.shown()


def test_the_incident_goes_on_and_says_since_when_viewers_saw_something_else(desk: Desk) -> None:
    desk.give_up()
    desk.stream_fallback()
    desk.tick()
    (number,) = {each.id for each in desk.incidents}
    assert desk.camera.snapshot(desk.now_ns).incident == number
    assert desk.incidents[-1].ended_ns is None
    assert desk.incidents[-1].fallback_ns is not None
    desk.come_back()
    assert desk.incidents[-1].cured_by == "reopen"


def test_a_fallback_that_fails_is_not_shown_and_tried_again(desk: Desk) -> None:
    desk.give_up()
    fail(desk.fallback.own, desk.now_ns)
    desk.tick()
    assert (desk.shown(), desk.fallback.own.state) == (False, State.BACKOFF)
    due_ns = desk.fallback.own.deadline_ns()
    assert due_ns is not None
    desk.notes.taken()
    desk.fallback.tick(due_ns)
    assert desk.notes.done == ["open test"]
    assert len({each.id for each in desk.incidents}) == 1, "it is no incident of the camera"


def test_without_a_fallback_nothing_is_ever_opened(desk: Desk) -> None:
    fallback = fallback_of(desk.camera, notes=desk.notes, air=desk.air)
    fail_until_given_up(desk.camera, desk.now_ns)
    fallback.tick(desk.now_ns)
    assert (desk.notes.done, desk.air.fallback) == ([], False)


def test_it_can_be_named_changed_and_done_without_while_the_camera_is_away(desk: Desk) -> None:
    desk.give_up()
    assert desk.fallback.configure(None, desk.now_ns)
    assert desk.notes.taken() == ["open test", "close"]
    assert not desk.fallback.configure(None, desk.now_ns)
    other = spec.parse("file:/srv/clip.mjpeg")
    assert desk.fallback.configure(other, desk.now_ns)
    assert desk.notes.taken() == ["open file:/srv/clip.mjpeg"]
    assert desk.fallback.configure(TEST, desk.now_ns + 5 * S)
    assert desk.notes.taken() == ["close", "open test"]


def test_the_same_size_and_rate_are_asked_of_it_as_of_the_camera(desk: Desk) -> None:
    request = fallback_request(CAMERA.anew(), TEST)
    assert (request.spec, request.format, request.times) == (TEST, CAMERA.format, 0)
