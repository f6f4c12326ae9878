from __future__ import annotations

import pytest
from framebus.errors import UsageError

from web_workers.pages.queries import ago_s, flag, frame_ticket
from web_workers.wire.multipart import Style


def test_nothing_asked_is_every_frame_plain() -> None:
    ticket = frame_ticket("front", {"unknown": "1"})
    assert (ticket.camera, ticket.style, ticket.fps, ticket.dual_final) == (
        "front",
        Style.PLAIN,
        None,
        False,
    )


def test_advance_headers_win_over_extra_ones() -> None:
    assert frame_ticket("c", {"extra_headers": "1"}).style is Style.EXTRA
    both = {"extra_headers": "1", "advance_headers": "true"}
    assert frame_ticket("c", both).style is Style.ADVANCE


@pytest.mark.parametrize("text", ["", "abc", "0", "-1", "nan", "inf", "1e9", "5;rm"])
def test_a_frame_rate_that_is_none_is_refused_with_what_to_use(text: str) -> None:
    with pytest.raises(UsageError, match=r"use a number from 0\.01 to 1000"):
        frame_ticket("c", {"fps": text})


def test_a_frame_rate_may_have_a_fraction() -> None:
    assert frame_ticket("c", {"fps": "7.5"}).fps == 7.5


@pytest.mark.parametrize(
    ("text", "seconds"), [("2s", 2), ("2", 2), ("500ms", 0.5), ("1.5s", 1.5), ("1m", 60), ("0", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert ago_s({"ago": text}) == seconds


@pytest.mark.parametrize("text", ["", "-1s", "two", "2d", "1e3s", "2s "])
def test_a_duration_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="for example ago=2s"):
        ago_s({"ago": text})


def test_a_flag_is_yes_or_no_and_nothing_else() -> None:
    assert flag({"x": "YES"}, "x")
    assert not flag({}, "x")
    assert not flag({"x": "0"}, "x")
    with pytest.raises(UsageError, match="neither yes nor no"):
        flag({"x": "maybe"}, "x")
