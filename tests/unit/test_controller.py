"""The controller and a camera: first frames, silences, failures and waits; time is an argument."""

from __future__ import annotations

import logging

import pytest
from framebus.contract.causes import Cause
from framebus.contract.words import State

from capture_daemon.capturing.reports import Failed, FrameSeen, Opened, Settled, StreamRestarted
from capture_daemon.lifecycle.controller import CaptureController
from tests.rigs.controllers import (
    CAMERA,
    GRANTED,
    Notes,
    S,
    fail,
    pass_time,
    state_of,
    stream,
)


def test_it_streams_after_the_first_valid_frame_and_then_has_no_cause(
    controller: CaptureController, notes: Notes
) -> None:
    assert state_of(controller) is State.STOPPED
    controller.start(200 * S)
    assert notes.taken() == ["open test"]
    controller.on_report(Opened(controller.sessions.number, GRANTED, "test"), 201 * S)
    assert state_of(controller) is State.OPENING
    controller.on_report(FrameSeen(controller.sessions.number, 640, 480), 202 * S)
    assert state_of(controller) is State.STREAMING
    assert controller.cause(202 * S) is None


def test_a_first_frame_may_take_its_time_but_not_for_ever(
    controller: CaptureController, notes: Notes
) -> None:
    controller.start(200 * S)
    controller.on_report(Opened(controller.sessions.number, GRANTED, "test"), 200 * S)
    controller.tick(204 * S)
    assert state_of(controller) is State.OPENING
    controller.tick(205 * S)
    assert state_of(controller) is State.STALLED
    assert notes.taken() == ["open test", "restart_stream"]


def test_an_open_that_does_not_return_is_not_a_silence_but_is_named(
    controller: CaptureController, notes: Notes
) -> None:
    controller.start(200 * S)
    notes.stuck = ("opening", 200 * S)
    controller.tick(260 * S)
    assert state_of(controller) is State.OPENING
    cause = controller.cause(260 * S)
    assert cause is not None
    assert cause.code == "not-answering"
    assert "60 s" in cause.message


def test_a_stall_is_three_intervals_and_300_ms_after_the_newest_frame(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    notes.arrived = 210 * S
    assert controller.deadline_ns() == pytest.approx(210 * S + 0.4 * S, abs=1000)
    controller.tick(210 * S + S * 39 // 100)
    assert state_of(controller) is State.STREAMING
    controller.tick(210 * S + S * 41 // 100)
    assert state_of(controller) is State.STALLED
    assert notes.taken() == ["restart_stream"]


def test_a_daemon_that_was_not_run_for_a_while_does_not_blame_the_camera(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    controller.tick(260 * S)  # the machine was suspended
    assert state_of(controller) is State.STREAMING
    assert controller.deadline_ns() == pytest.approx(260 * S + 0.4 * S, abs=1000)
    pass_time(controller)
    assert state_of(controller) is State.STALLED


def test_a_restarted_stream_that_stays_silent_is_closed_and_opened_after_a_wait(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    pass_time(controller)
    controller.on_report(StreamRestarted(controller.sessions.number), 203 * S)
    controller.tick(207 * S)
    assert state_of(controller) is State.STALLED
    controller.tick(208 * S)
    assert state_of(controller) is State.BACKOFF
    assert notes.taken() == ["restart_stream", "close"]
    controller.tick(208 * S + S // 20)
    assert notes.taken() == []
    controller.tick(208 * S + S // 10)
    assert notes.taken() == ["open test"]


def test_a_second_silence_before_the_stream_settled_goes_on_to_reopening(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S, settled=False)
    now = pass_time(controller)
    controller.on_report(StreamRestarted(controller.sessions.number), now)
    controller.on_report(FrameSeen(controller.sessions.number, 640, 480), now)
    assert state_of(controller) is State.STREAMING
    pass_time(controller)
    assert state_of(controller) is State.BACKOFF
    assert notes.taken() == ["restart_stream", "close"]


def test_a_frame_after_a_stream_restart_is_streaming_again(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    pass_time(controller)
    controller.on_report(StreamRestarted(controller.sessions.number), 203 * S)
    controller.on_report(FrameSeen(controller.sessions.number, 640, 480), 204 * S)
    assert state_of(controller) is State.STREAMING


def test_failures_in_a_row_wait_longer_until_a_stream_settles(
    controller: CaptureController, notes: Notes
) -> None:
    now = 200 * S
    controller.start(now)
    for wait_s in (0.5, 1, 2):
        fail(controller, now)
        assert controller.retries.due_ns == now + int(wait_s * S)
        now = controller.retries.due_ns
        controller.tick(now)
    controller.on_report(Opened(controller.sessions.number, GRANTED, "test"), now)
    controller.on_report(FrameSeen(controller.sessions.number, 0, 0), now)
    assert controller.retries.failures == 3
    controller.on_report(Settled(controller.sessions.number), now)
    assert controller.retries.failures == 0


def test_a_permanent_failure_is_a_person_s_to_mend_and_looked_at_all_the_same(
    controller: CaptureController, notes: Notes
) -> None:
    controller.start(200 * S)
    fail(controller, 201 * S, permanent=True)
    assert state_of(controller) is State.FAILED
    assert controller.retries.due_ns == 204 * S  # 4 s after the try began
    assert controller.outage.given_up
    controller.start(203 * S)
    assert state_of(controller) is State.OPENING
    assert controller.retries.due_ns is None


def test_a_device_that_appears_ends_the_wait_for_one(
    controller: CaptureController, notes: Notes
) -> None:
    controller.configure(CAMERA, 199 * S)
    controller.start(200 * S)
    fail(controller, 201 * S)
    notes.taken()
    controller.device_added(201 * S + 1)
    assert notes.taken() == ["open v4l2:/dev/video0"]


def test_a_device_that_appears_is_nothing_to_a_source_that_is_none(
    controller: CaptureController, notes: Notes
) -> None:
    controller.start(200 * S)
    fail(controller, 201 * S)
    notes.taken()
    controller.device_added(201 * S + 1)
    assert notes.taken() == []


def test_a_repeating_failure_is_logged_once_and_another_one_again(
    controller: CaptureController, notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    now = 200 * S
    controller.start(now)
    for _ in range(5):
        fail(controller, now)
        now = controller.retries.due_ns or 0
        controller.tick(now)
    assert len(caplog.records) == 1
    another = Cause("refused", "another")
    controller.on_report(Failed(controller.sessions.number, another, permanent=False), now)
    assert len(caplog.records) == 2


def test_rejected_frames_are_told_apart_from_no_frames(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    notes.rejected = ["no-eoi"]
    cause = controller.cause(pass_time(controller))
    assert cause is not None
    assert cause.code == "garbage"
    assert "no-eoi" in cause.message


def test_frames_that_are_too_large_name_the_ring_that_takes_them(
    controller: CaptureController, notes: Notes
) -> None:
    stream(controller, notes, 200 * S)
    notes.rejected = ["too-large"]
    notes.refused = 9_000_000
    cause = controller.cause(pass_time(controller))
    assert cause is not None
    assert cause.code == "too-large"
    assert "--ring-size 64M" in cause.remedy
    assert 'ring_size = "64M"' in cause.remedy


def test_a_source_that_sends_what_is_no_frame_is_not_said_to_be_opening(
    controller: CaptureController, notes: Notes
) -> None:
    controller.start(200 * S)
    notes.rejected = ["no-soi", "no-eoi"]  # of the session before, until this one is open
    assert getattr(controller.cause(202 * S), "code", "") == "opening"
    controller.on_report(Opened(controller.sessions.number, GRANTED, "test"), 203 * S)
    assert getattr(controller.cause(203 * S + S // 2), "code", "") == "opening"
    cause = controller.cause(205 * S)
    assert cause is not None
    assert cause.code == "garbage"
    assert "most often as no-soi" in cause.message
    controller.on_report(FrameSeen(controller.sessions.number, 640, 480), 206 * S)
    assert controller.cause(206 * S) is None
