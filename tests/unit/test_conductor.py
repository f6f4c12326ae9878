"""The conductor and the camera: first frames, silences, failures and waits; time is an argument."""

from __future__ import annotations

import logging

import pytest
from framebus.contract.causes import Cause
from framebus.contract.words import State

from capture_daemon.capturing.reports import Failed, FrameSeen, Opened, Settled, StreamRestarted
from capture_daemon.lifecycle.conductor import Conductor
from tests.rigs.conducting import (
    CAMERA,
    GRANTED,
    TEST,
    Notes,
    S,
    fail,
    fall_silent,
    state_of,
    stream,
)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def conductor(notes: Notes) -> Conductor:
    return Conductor(capture=notes, plan=TEST, jitter=lambda: 0.0, now_ns=100 * S)


def test_it_streams_after_the_first_valid_frame_and_then_has_no_cause(
    conductor: Conductor, notes: Notes
) -> None:
    assert state_of(conductor) is State.STOPPED
    conductor.start(200 * S)
    assert notes.taken() == ["open test"]
    conductor.on_report(Opened(conductor.sessions.number, GRANTED, "test"), 201 * S)
    assert state_of(conductor) is State.OPENING
    conductor.on_report(FrameSeen(conductor.sessions.number, 640, 480), 202 * S)
    assert state_of(conductor) is State.STREAMING
    assert conductor.cause(202 * S) is None


def test_a_first_frame_may_take_its_time_but_not_for_ever(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.start(200 * S)
    conductor.on_report(Opened(conductor.sessions.number, GRANTED, "test"), 200 * S)
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
    conductor.on_report(StreamRestarted(conductor.sessions.number), 203 * S)
    conductor.tick(207 * S)
    assert state_of(conductor) is State.STALLED
    conductor.tick(208 * S)
    assert state_of(conductor) is State.BACKOFF
    assert notes.taken() == ["restart_stream", "close"]
    conductor.tick(208 * S + S // 20)
    assert notes.taken() == []
    conductor.tick(208 * S + S // 10)
    assert notes.taken() == ["open test"]


def test_a_second_silence_before_the_stream_settled_goes_on_to_reopening(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S, settled=False)
    now = fall_silent(conductor)
    conductor.on_report(StreamRestarted(conductor.sessions.number), now)
    conductor.on_report(FrameSeen(conductor.sessions.number, 640, 480), now)
    assert state_of(conductor) is State.STREAMING
    fall_silent(conductor)
    assert state_of(conductor) is State.BACKOFF
    assert notes.taken() == ["restart_stream", "close"]


def test_a_frame_after_a_stream_restart_is_streaming_again(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S)
    fall_silent(conductor)
    conductor.on_report(StreamRestarted(conductor.sessions.number), 203 * S)
    conductor.on_report(FrameSeen(conductor.sessions.number, 640, 480), 204 * S)
    assert state_of(conductor) is State.STREAMING


def test_failures_in_a_row_wait_longer_until_a_stream_settles(
    conductor: Conductor, notes: Notes
) -> None:
    now = 200 * S
    conductor.start(now)
    for wait_s in (0.5, 1, 2):
        fail(conductor, now)
        assert conductor.retries.due_ns == now + int(wait_s * S)
        now = conductor.retries.due_ns
        conductor.tick(now)
    conductor.on_report(Opened(conductor.sessions.number, GRANTED, "test"), now)
    conductor.on_report(FrameSeen(conductor.sessions.number, 0, 0), now)
    assert conductor.retries.failures == 3
    conductor.on_report(Settled(conductor.sessions.number), now)
    assert conductor.retries.failures == 0


def test_a_permanent_failure_is_a_person_s_to_mend_and_looked_at_all_the_same(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.start(200 * S)
    fail(conductor, 201 * S, permanent=True)
    assert state_of(conductor) is State.FAILED
    assert conductor.retries.due_ns == 204 * S  # 4 s after the try began
    assert conductor.outage.given_up
    conductor.start(203 * S)
    assert state_of(conductor) is State.OPENING
    assert conductor.retries.due_ns is None


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


def test_a_repeating_failure_is_logged_once_and_another_one_again(
    conductor: Conductor, notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    now = 200 * S
    conductor.start(now)
    for _ in range(5):
        fail(conductor, now)
        now = conductor.retries.due_ns or 0
        conductor.tick(now)
    assert len(caplog.records) == 1
    another = Cause("no", "another")
    conductor.on_report(Failed(conductor.sessions.number, another, permanent=False), now)
    assert len(caplog.records) == 2


def test_rejected_frames_are_told_apart_from_no_frames(conductor: Conductor, notes: Notes) -> None:
    stream(conductor, notes, 200 * S)
    notes.rejected = ["no-eoi"]
    cause = conductor.cause(fall_silent(conductor))
    assert cause is not None
    assert cause.code == "garbage"
    assert "no-eoi" in cause.message


def test_frames_that_are_too_large_name_the_ring_that_takes_them(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S)
    notes.rejected = ["too-large"]
    notes.refused = 9_000_000
    cause = conductor.cause(fall_silent(conductor))
    assert cause is not None
    assert cause.code == "too-large"
    assert "--ring-size 64M" in cause.remedy
    assert 'ring_size = "64M"' in cause.remedy


def test_a_source_that_sends_what_is_no_frame_is_not_said_to_be_opening(
    conductor: Conductor, notes: Notes
) -> None:
    conductor.start(200 * S)
    notes.rejected = ["no-soi", "no-eoi"]  # of the session before, until this one is open
    assert getattr(conductor.cause(202 * S), "code", "") == "opening"
    conductor.on_report(Opened(conductor.sessions.number, GRANTED, "test"), 203 * S)
    assert getattr(conductor.cause(203 * S + S // 2), "code", "") == "opening"
    cause = conductor.cause(205 * S)
    assert cause is not None
    assert cause.code == "garbage"
    assert "most often as no-soi" in cause.message
    conductor.on_report(FrameSeen(conductor.sessions.number, 640, 480), 206 * S)
    assert conductor.cause(206 * S) is None
