"""The conductor with a capture thread that only takes notes, and a clock that is an argument."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pytest

from capture_daemon.conductor import Conductor
from capture_daemon.lifecycle import State
from capture_daemon.plan import Plan
from capture_daemon.recovery.rungs import Rung
from capture_daemon.reports import (
    Cause,
    Closed,
    Failed,
    FrameSeen,
    Opened,
    Settled,
    StreamRestarted,
)
from capture_daemon.sources import spec
from capture_daemon.sources.base import Granted, Request

S = 1_000_000_000
TEST = Plan(spec.parse("test"))
CAMERA = Plan(spec.parse("v4l2:/dev/video0"))
GRANTED = Granted("MJPG", 640, 480, 30.0, device="a device")


@dataclass
class Notes:
    """Stands in for the capture thread."""

    done: list[str] = field(default_factory=list)
    arrived: int = 0
    rejected: list[str] = field(default_factory=list)
    stuck: tuple[str, float] = ("", 0.0)

    def open(self, session: int, plan: Plan) -> None:
        self.done.append(f"open {plan.spec.text}")

    def restart_stream(self, session: int) -> None:
        self.done.append("restart_stream")

    def close(self, session: int) -> None:
        self.done.append("close")

    def climb(self, session: int, rung: Rung, limit_s: float) -> None:
        self.done.append(rung.value)

    def arrived_ns(self) -> int:
        return self.arrived

    def rate(self) -> float:
        return 30.0

    def rejected_since(self) -> list[str]:
        return self.rejected

    def blocked(self, now_ns: int) -> tuple[str, float]:
        return self.stuck

    def taken(self) -> list[str]:
        done, self.done = self.done, []
        return done


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def conductor(notes: Notes) -> Conductor:
    return Conductor(capture=notes, plan=TEST, jitter=lambda: 0.0, now_ns=100 * S)


def state_of(conductor: Conductor) -> State:
    """The state; a function, since mypy believes that an attribute stays as it was asserted."""
    return conductor.state


def stream(conductor: Conductor, notes: Notes, now_ns: int, *, settled: bool = True) -> None:
    conductor.start(now_ns)
    conductor.on_report(Opened(conductor.session, GRANTED, "test"), now_ns)
    notes.arrived = now_ns
    conductor.on_report(FrameSeen(conductor.session, 640, 480), now_ns)
    if settled:
        conductor.on_report(Settled(conductor.session), now_ns)
    notes.taken()


def fall_silent(conductor: Conductor) -> int:
    """Let time pass until the silence is due, and return that moment."""
    now = conductor.deadline_ns()
    assert now is not None
    conductor.tick(now)
    return now


def fail(conductor: Conductor, now_ns: int, *, permanent: bool = False) -> None:
    cause = Cause("device-gone", "the camera is gone", "plug it in")
    conductor.on_report(Failed(conductor.session, cause, permanent), now_ns)


def test_it_streams_after_the_first_valid_frame_and_then_has_no_cause(
    conductor: Conductor, notes: Notes
) -> None:
    assert state_of(conductor) is State.STOPPED
    conductor.start(200 * S)
    assert notes.taken() == ["open test"]
    conductor.on_report(Opened(conductor.session, GRANTED, "test"), 201 * S)
    assert state_of(conductor) is State.OPENING
    conductor.on_report(FrameSeen(conductor.session, 640, 480), 202 * S)
    assert state_of(conductor) is State.STREAMING
    assert conductor.cause(202 * S) is None


def test_a_first_frame_may_take_its_time_but_not_for_ever(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.start(200 * S)
    conductor.on_report(Opened(conductor.session, GRANTED, "test"), 200 * S)
    conductor.tick(204 * S)
    assert state_of(conductor) is State.OPENING
    conductor.tick(205 * S)
    assert state_of(conductor) is State.STALLED
    assert notes.taken() == ["open test", "restart_stream"]


def test_an_open_that_does_not_return_is_not_a_silence_but_is_named(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.start(200 * S)
    notes.stuck = ("opening", 60.0)
    conductor.tick(260 * S)
    assert state_of(conductor) is State.OPENING
    cause = conductor.cause(260 * S)
    assert cause is not None
    assert cause.code == "not-answering"
    assert "60 s" in cause.message


def test_a_stall_is_three_intervals_and_300_ms_after_the_newest_frame(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S)
    notes.arrived = 210 * S
    assert conductor.deadline_ns() == pytest.approx(210 * S + 0.4 * S, abs=1000)
    conductor.tick(210 * S + S * 39 // 100)
    assert state_of(conductor) is State.STREAMING
    conductor.tick(210 * S + S * 41 // 100)
    assert state_of(conductor) is State.STALLED
    assert notes.taken() == ["restart_stream"]


def test_a_daemon_that_was_not_run_for_a_while_does_not_blame_the_camera(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S)
    conductor.tick(260 * S)  # the machine was suspended
    assert state_of(conductor) is State.STREAMING
    assert conductor.deadline_ns() == pytest.approx(260 * S + 0.4 * S, abs=1000)
    fall_silent(conductor)
    assert state_of(conductor) is State.STALLED


def test_a_restarted_stream_that_stays_silent_is_closed_and_opened_after_a_wait(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S)
    fall_silent(conductor)
    conductor.on_report(StreamRestarted(conductor.session), 203 * S)
    conductor.tick(207 * S)
    assert state_of(conductor) is State.STALLED
    conductor.tick(208 * S)
    assert state_of(conductor) is State.BACKOFF
    assert notes.taken() == ["restart_stream", "close"]
    conductor.tick(208 * S + S * 4 // 10)
    assert notes.taken() == []
    conductor.tick(208 * S + S // 2)
    assert notes.taken() == ["open test"]


def test_a_second_silence_before_the_stream_settled_goes_on_to_reopening(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S, settled=False)
    now = fall_silent(conductor)
    conductor.on_report(StreamRestarted(conductor.session), now)
    conductor.on_report(FrameSeen(conductor.session, 640, 480), now)
    assert state_of(conductor) is State.STREAMING
    fall_silent(conductor)
    assert state_of(conductor) is State.BACKOFF
    assert notes.taken() == ["restart_stream", "close"]


def test_a_frame_after_a_stream_restart_is_streaming_again(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S)
    fall_silent(conductor)
    conductor.on_report(StreamRestarted(conductor.session), 203 * S)
    conductor.on_report(FrameSeen(conductor.session, 640, 480), 204 * S)
    assert state_of(conductor) is State.STREAMING


def test_failures_in_a_row_wait_longer_until_a_stream_settles(
    conductor: Conductor, notes: Notes
) -> None:
    now = 200 * S
    conductor.start(now)
    for wait_s in (0.5, 1, 2):
        fail(conductor, now)
        assert conductor.retry_ns == now + int(wait_s * S)
        now = conductor.retry_ns
        conductor.tick(now)
    conductor.on_report(Opened(conductor.session, GRANTED, "test"), now)
    conductor.on_report(FrameSeen(conductor.session, 0, 0), now)
    assert conductor.failures == 3
    conductor.on_report(Settled(conductor.session), now)
    assert conductor.failures == 0


def test_a_permanent_failure_waits_for_a_person_but_tries_again_slowly(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.start(200 * S)
    fail(conductor, 201 * S, permanent=True)
    assert state_of(conductor) is State.FAILED
    assert conductor.retry_ns == 231 * S
    conductor.start(210 * S)
    assert state_of(conductor) is State.OPENING
    assert conductor.retry_ns is None


def test_a_device_that_appears_ends_the_wait_for_one(conductor: Conductor, notes: Notes) -> None:
    conductor.configure(CAMERA, 199 * S)
    conductor.start(200 * S)
    fail(conductor, 201 * S)
    notes.taken()
    conductor.device_added(201 * S + 1)
    assert notes.taken() == ["open v4l2:/dev/video0"]


def test_a_device_that_appears_is_nothing_to_a_source_that_is_none(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.start(200 * S)
    fail(conductor, 201 * S)
    notes.taken()
    conductor.device_added(201 * S + 1)
    assert notes.taken() == []


def test_fifty_restarts_in_a_second_are_one_restart(conductor: Conductor, notes: Notes) -> None:
    stream(conductor, notes, 200 * S)
    restarted = [conductor.restart(210 * S + n * S // 50) for n in range(50)]
    assert restarted.count(True) == 1
    assert notes.taken() == ["close", "open test"]


def test_fifty_starts_in_a_second_do_not_hammer_a_camera_that_fails(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.start(200 * S)
    for n in range(50):
        now = 200 * S + n * S // 50
        conductor.tick(now)
        if state_of(conductor) is State.OPENING:
            fail(conductor, now)
        conductor.start(now)
    assert notes.taken().count("open test") <= 3


def test_a_new_plan_closes_the_old_source_and_opens_the_new_one(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S)
    plan = Plan(spec.parse("test"), Request(320, 240))
    assert conductor.configure(plan, 201 * S)
    assert notes.taken() == ["close", "open test"]
    assert not conductor.configure(plan, 202 * S)
    assert notes.taken() == []


def test_configuring_while_stopped_opens_nothing(conductor: Conductor, notes: Notes) -> None:
    conductor.configure(Plan(spec.parse("test"), Request(320, 240)), 200 * S)
    assert state_of(conductor) is State.STOPPED
    assert notes.taken() == []


def test_what_an_earlier_session_reports_is_old_news(conductor: Conductor, notes: Notes) -> None:
    stream(conductor, notes, 200 * S)
    old = conductor.session
    conductor.restart(210 * S)
    conductor.on_report(Failed(old, Cause("gone", "gone"), permanent=True), 211 * S)
    conductor.on_report(FrameSeen(old, 1, 1), 211 * S)
    assert state_of(conductor) is State.OPENING


def test_stopped_says_so_once_the_source_is_really_closed(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S)
    conductor.stop(201 * S)
    closing, closed = conductor.cause(201 * S), None
    conductor.on_report(Closed(conductor.session), 202 * S)
    closed = conductor.cause(202 * S)
    assert closing is not None
    assert closed is not None
    assert (closing.code, closed.code) == ("closing", "stopped")


def test_a_repeating_failure_is_logged_once_and_another_one_again(
    conductor: Conductor, notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    now = 200 * S
    conductor.start(now)
    for _ in range(5):
        fail(conductor, now)
        now = conductor.retry_ns or 0
        conductor.tick(now)
    assert len(caplog.records) == 1
    conductor.on_report(Failed(conductor.session, Cause("no", "another"), permanent=False), now)
    assert len(caplog.records) == 2


def test_rejected_frames_are_told_apart_from_no_frames(conductor: Conductor, notes: Notes) -> None:
    stream(conductor, notes, 200 * S)
    notes.rejected = ["no-eoi"]
    cause = conductor.cause(fall_silent(conductor))
    assert cause is not None
    assert cause.code == "garbage"
    assert "no-eoi" in cause.message
