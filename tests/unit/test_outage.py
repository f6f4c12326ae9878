"""When a loss of frames is an incident, when it began, and what is said to have cured it."""

from __future__ import annotations

import pytest
from framebus.contract.causes import Cause

from capture_daemon.capturing.reports import FrameSeen, Settled, StreamRestarted
from capture_daemon.diagnosis.incidents import Incident
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.outage import Outage
from tests.rigs.controllers import GRANTED, TEST, Notes, S, fail, pass_time, stream

UTC = 1_795_387_146 * S
START = 100 * S


class Told:
    """The incidents that were told, and the clock."""

    def __init__(self) -> None:
        self.incidents: list[Incident] = []
        self.now_ns = START

    def tell(self, incident: Incident) -> None:
        self.incidents.append(incident)

    @property
    def last(self) -> Incident:
        return self.incidents[-1]

    def count(self) -> int:
        return len({each.id for each in self.incidents})


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def controller(notes: Notes, told: Told) -> CaptureController:
    outage = Outage(
        camera="front",
        tell=told.tell,
        clock=lambda: told.now_ns,
        utc=lambda: UTC + told.now_ns,
    )
    return CaptureController(
        capture=notes, request=TEST, jitter=lambda: 0.0, now_ns=START, outage=outage
    )


def retry(controller: CaptureController, told: Told) -> None:
    """Let the wait for the next try pass."""
    due_ns = controller.deadline_ns()
    assert due_ns is not None
    told.now_ns = due_ns
    controller.tick(due_ns)


def test_a_stream_that_fails_and_is_reopened_is_one_incident_cured_by_that(
    controller: CaptureController, notes: Notes, told: Told
) -> None:
    stream(controller, notes, 200 * S)
    notes.arrived = 210 * S
    told.now_ns = 211 * S
    fail(controller, 211 * S)
    assert told.last.state == "streaming"
    assert told.last.began_ns == 210 * S
    assert controller.snapshot(told.now_ns).incident == told.last.id
    retry(controller, told)
    assert [each.rung for each in told.last.tried] == ["reopen"]
    told.now_ns += 2 * S
    back_ns = told.now_ns
    stream(controller, notes, back_ns)
    assert told.last.ended_ns == back_ns
    assert told.last.cured_by == "reopen"
    assert told.count() == 1
    assert controller.snapshot(told.now_ns).incident is None


def test_a_stall_is_cured_by_the_restart_of_its_stream(
    controller: CaptureController, notes: Notes, told: Told
) -> None:
    stream(controller, notes, 200 * S)
    told.now_ns = pass_time(controller)
    controller.on_report(StreamRestarted(controller.sessions.number), told.now_ns)
    controller.on_report(FrameSeen(controller.sessions.number, 640, 480), told.now_ns)
    controller.on_report(Settled(controller.sessions.number), told.now_ns)
    assert told.last.causes == ("silent",)
    assert told.last.cured_by == "restart-stream"


def test_frames_that_come_back_before_anything_was_tried_came_back_by_themselves(
    told: Told,
) -> None:
    outage = Outage(tell=told.tell, clock=lambda: told.now_ns, utc=lambda: UTC + told.now_ns)
    outage.blame(Cause("silent", "nothing comes"))
    outage.end("test", GRANTED, told.now_ns)
    assert told.last.cured_by == "itself"


def test_a_camera_that_was_never_there_is_an_incident_from_the_first_try(
    controller: CaptureController, told: Told
) -> None:
    told.now_ns = 200 * S
    controller.start(200 * S)
    fail(controller, 200 * S)
    assert told.last.state == "opening"
    assert told.last.began_ns == 200 * S


def test_failing_again_and_again_is_one_incident(controller: CaptureController, told: Told) -> None:
    controller.start(200 * S)
    for _ in range(100):
        fail(controller, told.now_ns)
        retry(controller, told)
    assert told.count() == 1
    assert told.last.causes == ("device-gone",)
    (tried,) = told.last.tried
    assert (tried.rung, tried.times) == ("reopen", 100)


def test_a_flicker_does_not_move_the_beginning(
    controller: CaptureController, notes: Notes, told: Told
) -> None:
    stream(controller, notes, 200 * S)
    told.now_ns = 201 * S
    fail(controller, told.now_ns)
    began = told.last.began_ns
    retry(controller, told)
    stream(controller, notes, told.now_ns, settled=False)
    fail(controller, told.now_ns)
    assert told.count() == 1
    assert told.last.began_ns == began


def test_what_a_person_wants_is_no_incident(
    controller: CaptureController, notes: Notes, told: Told
) -> None:
    stream(controller, notes, 200 * S)
    controller.restart(300 * S)
    stream(controller, notes, 300 * S)
    controller.stop(400 * S)
    assert told.incidents == []


def test_a_restart_that_fails_is_an_incident_from_its_last_frame_on(
    controller: CaptureController, notes: Notes, told: Told
) -> None:
    stream(controller, notes, 200 * S)
    notes.arrived = 299 * S
    controller.restart(300 * S)
    told.now_ns = 301 * S
    fail(controller, 301 * S)
    assert told.last.began_ns == 299 * S


def test_a_person_who_starts_it_again_has_cured_it(
    controller: CaptureController, notes: Notes, told: Told
) -> None:
    stream(controller, notes, 200 * S)
    fail(controller, 201 * S)
    controller.restart(210 * S)
    stream(controller, notes, 210 * S)
    assert told.last.cured_by == "person"


def test_a_stop_ends_an_incident_without_a_cure_and_says_so(
    controller: CaptureController, notes: Notes, told: Told
) -> None:
    stream(controller, notes, 200 * S)
    fail(controller, 201 * S)
    controller.stop(202 * S)
    assert told.last.ended_ns is not None
    assert told.last.cured_by is None
    assert "stopped" in told.last.note
    controller.on_report(Settled(controller.sessions.number), 203 * S)
    assert told.count() == 1


@pytest.mark.parametrize("by", ["forget", "stop", "end"])
def test_a_cause_is_logged_once_until_something_has_changed(
    caplog: pytest.LogCaptureFixture, by: str
) -> None:
    outage = Outage(camera="front", tell=None, clock=lambda: START, utc=lambda: UTC)
    for _ in range(2):
        outage.blame(Cause("device-gone", "the camera is gone"))
    match by:
        case "forget":
            outage.forget()
        case "stop":
            outage.stop()
        case _:
            outage.end("test", GRANTED, START)
    outage.blame(Cause("device-gone", "the camera is gone"))
    warned = [each for each in caplog.records if each.levelname == "WARNING"]
    assert [each.getMessage() for each in warned] == ["device-gone: the camera is gone"] * 2


def test_a_fallback_is_said_to_have_stood_in_since_it_did_first(told: Told) -> None:
    outage = Outage(
        camera="front", tell=told.tell, clock=lambda: told.now_ns, utc=lambda: UTC + told.now_ns
    )
    outage.covered(START)
    assert told.incidents == []
    outage.blame(Cause("device-gone", "the camera is gone"))
    for at_ns in (START + 2 * S, START + 5 * S):
        outage.covered(at_ns)
    assert told.last.fallback_ns == START + 2 * S


@pytest.mark.parametrize(
    ("blamed", "said"),
    [
        (False, "streaming MJPG 640x480 from test"),
        (True, "streaming MJPG 640x480 from test again after 2.5 s"),
    ],
)
def test_how_long_frames_were_away_is_logged_of_a_failure_and_not_of_a_wish(
    told: Told, caplog: pytest.LogCaptureFixture, blamed: bool, said: str
) -> None:
    caplog.set_level("INFO")
    outage = Outage(tell=told.tell, clock=lambda: told.now_ns)
    outage.begin(START)
    if blamed:
        outage.blame(Cause("silent", "no frame came"))
    outage.end("test", GRANTED, START + 5 * S // 2)
    assert caplog.messages[-1] == said
