"""The conductor and people: restarts that coalesce, new plans, and what is old news by then."""

from __future__ import annotations

import pytest
from framebus.contract.causes import Cause
from framebus.contract.words import State

from capture_daemon.capturing.reports import Closed, Failed, FrameSeen
from capture_daemon.lifecycle.conductor import Conductor
from capture_daemon.settings import spec
from capture_daemon.settings.plan import Plan
from capture_daemon.sources.base import Request
from tests.rigs.conducting import (
    TEST,
    Notes,
    S,
    fail,
    state_of,
    stream,
)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def conductor(notes: Notes) -> Conductor:
    return Conductor(capture=notes, plan=TEST, jitter=lambda: 0.0, now_ns=100 * S)


def test_fifty_restarts_in_a_second_are_one_restart(conductor: Conductor, notes: Notes) -> None:
    stream(conductor, notes, 200 * S)
    restarted = [conductor.restart(210 * S + n * S // 50) for n in range(50)]
    assert restarted.count(True) == 1
    assert notes.taken() == ["close", "open test"]


def test_a_restart_soon_after_an_open_is_that_open_though_frames_flow_already(
    conductor: Conductor, notes: Notes
) -> None:
    stream(conductor, notes, 200 * S)
    again_ns = conductor.sessions.again_ns
    assert not conductor.restart(again_ns - 1)
    assert notes.taken() == []
    assert conductor.restart(again_ns)
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
    old = conductor.sessions.number
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
    conductor.on_report(Closed(conductor.sessions.number), 202 * S)
    closed = conductor.cause(202 * S)
    assert closing is not None
    assert closed is not None
    assert (closing.code, closed.code) == ("closing", "stopped")
