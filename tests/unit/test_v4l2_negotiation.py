from __future__ import annotations

from fractions import Fraction

import pytest

from capture_daemon.sources.base import Request, SourceError
from capture_daemon.v4l2.formats import Choice
from capture_daemon.v4l2.negotiation import MOST_STEPS, FormatNegotiation, candidates
from tests.samples.formats import MJPG, YUYV, offer

REFUSED = SourceError("refused-stream", "no")


def brief(choices: list[Choice]) -> list[tuple[int, int, float]]:
    return [(choice.width, choice.height, float(choice.rate or 0)) for choice in choices]


def test_rates_are_lowered_first_and_then_sizes() -> None:
    choices = candidates([YUYV, MJPG], Request(width=1920, height=1080, fps=30), "camera")
    assert {choice.fourcc for choice in choices} == {"MJPG"}
    assert brief(choices) == [
        *((1920, 1080, 30), (1920, 1080, 5)),
        *((1280, 720, 30), (800, 600, 20), (640, 480, 30)),
    ]


def test_nothing_is_below_the_smallest_size_at_its_lowest_rate() -> None:
    only = offer("MJPG", {(640, 480): (30,)})
    assert brief(candidates([only], Request(), "camera")) == [(640, 480, 30)]


def test_a_camera_that_names_no_rates_steps_down_in_size() -> None:
    mute = offer("MJPG", {(640, 480): (), (320, 240): ()})
    assert brief(candidates([mute], Request(), "camera")) == [(640, 480, 0), (320, 240, 0)]


def test_steps_are_few_however_much_is_offered() -> None:
    many = offer("MJPG", {(100 + number, 100): (30, 20, 10) for number in range(50)})
    assert len(candidates([many], Request(), "camera")) == MOST_STEPS + 1


@pytest.fixture
def choices() -> list[Choice]:
    return [Choice("MJPG", 100 - number, 100, Fraction(30)) for number in range(3)]


def test_what_did_not_fit_is_not_tried_again(choices: list[Choice]) -> None:
    state = FormatNegotiation()
    assert state.left(choices) == choices
    assert state.note == ""
    state.granted(1)
    assert state.left(choices) == choices[1:]
    assert "did not grant 100x100 at 30/s" in state.note
    state.granted(1)
    assert state.left(choices) == choices[2:]


def test_a_passing_refusal_lowers_nothing_and_a_lasting_one_step_after_step(
    choices: list[Choice],
) -> None:
    state = FormatNegotiation()
    state.left(choices)
    state.failed(REFUSED)
    assert state.left(choices) == choices
    state.granted(0)
    first, second, third = choices
    for expected in (choices, [first, second], [first, third], [first, third]):
        state.failed(REFUSED)
        assert state.left(choices) == expected
        assert (REFUSED.code in state.goes_on_after) is (expected is not choices)
    assert not state.note
    state.granted(1)
    assert state.note
    assert state.left(choices) == [third]


def test_a_camera_that_is_over_its_weakness_is_asked_for_less_never(
    choices: list[Choice],
) -> None:
    state = FormatNegotiation()
    for _ in range(4):
        state.left(choices)
        state.failed(REFUSED)
    state.left(choices)
    state.granted(0)
    assert state.left(choices) == choices
    assert not state.note


def test_other_failures_lower_nothing(choices: list[Choice]) -> None:
    state = FormatNegotiation()
    state.left(choices)
    for code in ("device-gone", "device-busy", "no-permission", "no-bandwidth"):
        state.failed(SourceError(code, "no"))
    assert state.left(choices) == choices


def test_a_camera_that_offers_less_than_it_did_is_asked_for_its_least(
    choices: list[Choice],
) -> None:
    state = FormatNegotiation()
    state.left(choices)
    state.granted(2)
    assert state.left(choices[:1]) == choices[:1]
