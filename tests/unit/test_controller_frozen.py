"""A camera that sends the same picture is told apart, and what a person begins anew is new."""

from __future__ import annotations

from dataclasses import replace

import pytest
from framebus.options.chosen import Chosen

from capture_daemon.settings.capture_request import CaptureRequest
from tests.rigs.controllers import CAMERA, TEST, Notes, S, streaming


def test_a_picture_that_never_changes_is_a_cause_while_it_streams() -> None:
    notes = Notes()
    controller = streaming(CAMERA, notes)
    assert controller.cause(100 * S) is None, "no frame was compared yet"
    notes.unchanged_since = 10 * S
    assert controller.cause(20 * S - 1) is None
    cause = controller.cause(20 * S)
    assert cause is not None
    assert cause.code == "frozen"
    notes.unchanged_since = 20 * S
    assert controller.cause(20 * S) is None
    controller.stop(21 * S)
    stopped = controller.cause(100 * S)
    assert stopped is not None
    assert stopped.code != "frozen"


@pytest.mark.parametrize("wanted", [TEST, replace(CAMERA, options=Chosen({"frozen_after": "0"}))])
def test_a_still_picture_is_nothing_to_remark_upon(wanted: CaptureRequest) -> None:
    notes = Notes(unchanged_since=S)
    assert streaming(wanted, notes).cause(1000 * S) is None


def test_what_a_person_begins_is_begun_from_its_top_and_a_retry_is_not() -> None:
    notes = Notes()
    controller = streaming(CAMERA, notes)
    first = controller.source.request
    controller.restart(10 * S)
    assert controller.source.request != first
    assert controller.source.request.wants_the_same(first)
    assert not controller.configure(first, 11 * S), "nothing else is wanted"
    again = controller.source.request
    controller.device_added(12 * S)
    assert controller.source.request == again
