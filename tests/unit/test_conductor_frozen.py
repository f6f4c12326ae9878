"""A camera that sends the same picture is told apart, and what a person begins anew is new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capture_daemon.settings.plan import Plan
from tests.rigs.conducting import CAMERA, TEST, Notes, S, streaming


def test_a_picture_that_never_changes_is_a_cause_while_it_streams() -> None:
    notes = Notes()
    conductor = streaming(CAMERA, notes)
    assert conductor.cause(100 * S) is None, "no frame was compared yet"
    notes.still_since = 10 * S
    assert conductor.cause(20 * S - 1) is None
    cause = conductor.cause(20 * S)
    assert cause is not None
    assert cause.code == "frozen"
    notes.still_since = 20 * S
    assert conductor.cause(20 * S) is None
    conductor.stop(21 * S)
    stopped = conductor.cause(100 * S)
    assert stopped is not None
    assert stopped.code != "frozen"


@pytest.mark.parametrize("plan", [TEST, replace(CAMERA, frozen_after_s=0.0)])
def test_a_still_picture_is_nothing_to_remark_upon(plan: Plan) -> None:
    notes = Notes(still_since=S)
    assert streaming(plan, notes).cause(1000 * S) is None


def test_what_a_person_begins_is_begun_from_its_top_and_a_retry_is_not() -> None:
    notes = Notes()
    conductor = streaming(CAMERA, notes)
    first = conductor.source.plan
    conductor.restart(10 * S)
    assert conductor.source.plan != first
    assert conductor.source.plan.wants_the_same(first)
    assert not conductor.configure(first, 11 * S), "nothing else is wanted"
    again = conductor.source.plan
    conductor.device_added(12 * S)
    assert conductor.source.plan == again
