"""What the recovery harness makes of what it saw: rows of frames, moments, figures, the page."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.guest.recovery import leftovers, report, rows, watching
from tests.guest.recovery.results import Result, figures, quantile
from tests.guest.recovery.rows import Published
from tests.guest.recovery.table import cases
from tests.guest.recovery.watching import Seen

SECOND = 1_000_000_000
FPS = 10.0
CASE = "stall@streaming"
UNDER = report.Circumstances(date="2026-01-02", machine="a machine")


def _frames(*at_s: float) -> list[Published]:
    return [
        Published(int(at * SECOND) - 1000, int(at * SECOND), number)
        for number, at in enumerate(at_s)
    ]


def test_ten_frames_in_a_row_are_timed_by_the_first_and_the_tenth() -> None:
    frames = _frames(*(10 + number / 10 for number in range(15)))
    row = rows.last_row(frames, after_ns=10 * SECOND - 1, fps=FPS)
    assert row is not None
    assert (row.first_ns, row.tenth_ns) == (10 * SECOND, int(10.9 * SECOND))


def test_a_gap_begins_a_new_row() -> None:
    frames = _frames(*(1 + number / 10 for number in range(12)), 5.0, 5.1)
    row = rows.last_row(frames, after_ns=0, fps=FPS)
    assert row is not None
    assert row.first_ns == 5 * SECOND
    assert row.tenth_ns is None
    assert rows.last_row(frames, after_ns=9 * SECOND, fps=FPS) is None


def test_a_slow_camera_may_take_its_time_between_two_frames() -> None:
    row = rows.last_row(_frames(*range(1, 15)), after_ns=0, fps=1)
    assert row is not None
    assert row.tenth_ns == 10 * SECOND


def test_missing_numbers_are_lost_and_a_new_session_is_not() -> None:
    numbers = [3, 4, 7, 8, 0, 1, 3]
    frames = [Published(at, at, number) for at, number in enumerate(numbers, start=1)]
    assert rows.lost(frames, since_ns=0) == 2 + 1
    assert rows.lost(frames, since_ns=3) == 1


def test_a_frame_that_comes_twice_counts_once_with_its_first_publication() -> None:
    first, again = Published(5, 7, 1), Published(5, 90, 1)
    assert rows.merged([again, first, again]) == {5: first}


def _seen(at_s: float, state: str, cause: str = "", *, since_s: float = 0, rung: str = "") -> Seen:
    return Seen(int(at_s * SECOND), state, int(since_s * SECOND), cause, rung)


def test_detection_is_the_moment_of_the_state_when_that_came_after_the_fault() -> None:
    seen = [
        _seen(1, "streaming"),
        _seen(3, "stalled", "silent", since_s=2.5),
        _seen(4, "backoff", "device-gone", since_s=4),
    ]
    assert watching.detected_ns(seen, after_ns=2 * SECOND) == int(2.5 * SECOND)
    assert watching.states(seen, after_ns=0) == ["streaming", "stalled", "backoff"]
    assert watching.causes(seen, after_ns=0) == ["silent", "device-gone"]


def test_a_cause_that_comes_later_than_its_state_is_detected_when_it_was_told() -> None:
    seen = [_seen(3, "opening", "opening", since_s=1), _seen(8, "opening", "not-answering")]
    assert watching.detected_ns(seen, after_ns=2 * SECOND) == 8 * SECOND


def test_what_somebody_wants_is_no_detection() -> None:
    seen = [_seen(3, "stopped", "stopped"), _seen(4, "opening", "opening"), _seen(5, "streaming")]
    assert watching.detected_ns(seen, after_ns=0) is None
    assert watching.causes(seen, after_ns=0) == []


def test_the_rung_is_the_incident_s_else_the_status_s_else_derived() -> None:
    incident: dict[str, Any] = {"tried": [{"rung": "restart-stream"}], "cured_by": "reopen"}
    seen = [_seen(1, "stalled", "silent"), _seen(2, "backoff", "silent", rung="usb-reset")]
    assert watching.rung([incident], seen, after_ns=0) == ("reopen", False)
    incident["cured_by"] = None
    assert watching.rung([incident], seen, after_ns=0) == ("restart-stream", False)
    assert watching.rung([], seen, after_ns=0) == ("usb-reset", False)
    assert watching.rung([], [_seen(1, "stalled", "silent")], after_ns=0) == (
        "restart-stream",
        True,
    )
    assert watching.rung([], [_seen(1, "backoff", "busy")], after_ns=0) == ("reopen", True)
    assert watching.rung([], [_seen(1, "streaming")], after_ns=0) == ("", True)


def test_a_status_is_read_by_its_own_clock() -> None:
    document = {
        "state": "stalled",
        "since_utc_ns": 105,
        "cause": {"code": "silent", "message": "", "remedy": ""},
        "recovery": {"rung": "reopen", "next": None, "unavailable": []},
    }
    assert Seen.of(document, 9, 100) == Seen(9, "stalled", 5, "silent", "reopen")
    assert Seen.of({"state": "streaming", "cause": None}, 9, 100).cause == ""


def test_the_99th_percentile_of_twenty_is_the_worst() -> None:
    values = [float(number) for number in range(1, 21)]
    assert (quantile(values, 0.5), quantile(values, 0.99)) == (10, 20)
    assert quantile([3.0], 0.99) == 3
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


def test_a_result_goes_through_its_line_and_unknown_keys_are_passed_over() -> None:
    result = Result(case=CASE, kernel="stable", ten_s=1.5, rejected={"flagged": 2})
    assert Result.parse(result.line()) == result
    assert Result.parse(json.dumps({**json.loads(result.line()), "more": 1})) == result
    with pytest.raises(ValueError, match="no result"):
        Result.parse('{"begin": "x"}')


def test_what_there_is_more_of_afterwards_is_left_over() -> None:
    before = Counter({"descriptor of the camera in daemon": 17, "process capture_daemon": 1})
    after = Counter({"descriptor of the camera in daemon": 19, "file @DEVICE.lock": 1})
    assert leftovers.left(before, after) == [
        "2 x descriptor of the camera in daemon",
        "file @DEVICE.lock",
    ]
    assert leftovers.left(before, before) == []


def _results() -> list[Result]:
    good = Result(
        case=CASE,
        kernel="stable",
        release="6.1",
        revision="0123456789abcdef",
        detected_s=0.5,
        first_s=0.6,
        ten_s=1.2,
        rung="restart-stream",
    )
    bad = replace(good, ten_s=None, first_s=None, problems=["no ten frames"], rung="reopen")
    return [good, replace(good, ten_s=1.9), bad]


def test_figures_count_what_is_ok_and_name_every_problem() -> None:
    (line,) = figures(_results())
    assert (line.runs, line.ok) == (3, 2)
    assert line.ten_s == (1.2, 1.9)
    assert line.rungs == (("restart-stream", 2), ("reopen", 1))
    assert line.problems == (("no ten frames", 1),)


def test_the_page_keeps_what_is_not_measured_and_names_failures() -> None:
    page = f"before\n\n{report.BEGIN}\nstale table\n{report.END}\nafter\n"
    text = report.written(page, report.tables(_results(), cases(), UNDER))
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "stale table" not in text
    assert "Measured 2026-01-02 on a machine." in text
    assert "| streaming | 3 | 2 | 0.50 / 0.50 | 0.60 / 0.60 | 1.20 / 1.90 |" in text
    assert f"- {CASE}: no ten frames (1 of 3)" in text
    assert "| restart-stream | 2 | 1.20 / 1.90 / 1.90 | 2 s |" in text
    assert report.written(text, "again").count(report.BEGIN) == 1


def test_what_a_fault_itself_takes_is_no_part_of_the_recovery() -> None:
    hung = replace(_results()[0], case="commit-hang@streaming", ten_s=6.5, rung="reopen")
    text = report.tables([hung], cases(), UNDER)
    assert "6.50 / 6.50" in text
    assert "| reopen | 1 | 1.50 / 1.50 / 1.50 | 2 s |" in text


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        report.written("nothing", "table")
