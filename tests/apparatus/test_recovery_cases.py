"""The table of faults for the guest, and what is still to run of it."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.guest.camera.faults import FAULTS as CAMERA_FAULTS
from tests.guest.camera.faults import Faults
from tests.guest.camera.model import MODELS
from tests.guest.recovery import durations, lasted, leftovers
from tests.guest.recovery.cases import SIZE, Stack, State
from tests.guest.recovery.host import Lines, order, remaining, shares
from tests.guest.recovery.report import Circumstances
from tests.guest.recovery.results import Result
from tests.guest.recovery.steps import Arm, Rival
from tests.guest.recovery.table import FAULTS, cases, everything


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in everything()]
    assert len(names) == len(set(names))


def test_a_case_arms_only_what_the_camera_knows() -> None:
    steps = [step for fault in FAULTS for step in (*fault.inject, *fault.mend)]
    armed = {step.fault for step in steps if isinstance(step, Arm)}
    assert armed
    assert armed <= CAMERA_FAULTS.keys()


def test_every_camera_offers_what_is_asked_of_it() -> None:
    for fault in FAULTS:
        sizes = MODELS[fault.camera].formats[0].sizes
        offered = {
            (f"{size.width}x{size.height}", 10_000_000 // interval)
            for size in sizes
            for interval in size.intervals
        }
        assert (SIZE, fault.fps) in offered, fault.name


def test_a_fault_that_is_there_for_good_is_mended_by_somebody_or_by_framebus_alone() -> None:
    # What only an open meets has to be kicked, or streaming would never meet it.
    for fault in FAULTS:
        rivals = [step for step in fault.inject if isinstance(step, Rival)]
        assert not rivals or (fault.mend and fault.kick), fault.name


def test_cases_of_one_stack_and_camera_come_together() -> None:
    keys = [(case.fault.camera, case.fault.stack) for case in cases()]
    assert len([key for key, _ in itertools.groupby(keys)]) == len(set(keys))
    assert {stack for _, stack in keys} == set(Stack)


def test_a_fault_s_name_means_all_its_states_and_a_case_s_name_one() -> None:
    assert {case.state for case in cases(["replug-same"])} == set(State)
    (one,) = cases(["replug-same@idle"])
    assert one.state is State.IDLE
    assert len(cases(["replug-same", "replug-same@idle"])) == 4


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no such case: typo.*replug-same"):
        cases(["typo"])


def test_only_what_has_not_run_often_enough_is_still_to_run() -> None:
    one, other = cases(["urb-1@idle", "urb-1@streaming"])
    done = [Result(case=one.name, kernel="stable", fps=one.fault.fps)] * 2
    assert remaining([one, other], 2, done) == [(other, 2)]
    assert remaining([one, other], 3, done) == [(one, 1), (other, 3)]
    assert remaining([one], 2, [replace(done[0], problems=["left over"])] * 5) == []
    assert remaining([one.at(5)], 2, done) == [(one.at(5), 2)]


def test_guests_get_every_case_as_often_as_each_other_and_what_is_over_goes_round() -> None:
    plan = [(case, 20) for case in cases(["urb-1", "stall"])]
    dealt = shares(plan, 3)
    assert Counter(case.name for share in dealt for case, times in share for _ in range(times)) == (
        Counter({case.name: 20 for case, _ in plan})
    )
    runs = [sum(times for _, times in share) for share in dealt]
    assert max(runs) - min(runs) <= 2
    assert shares(plan, 1) == [plan]
    assert len(shares(plan[:1], 30)) == 20
    assert shares([], 3) == []


def test_runs_come_by_stack_in_rounds_with_those_that_want_a_new_daemon_last() -> None:
    ran = order([(case, 2) for case in cases()])
    assert Counter(case.name for case in ran) == Counter(2 * [case.name for case in cases()])
    keys = [case.group for case in ran]
    assert len([key for key, _ in itertools.groupby(keys)]) == len(set(keys))
    usual = [case for case in ran if case.fault.stack is Stack.UP and case.fault.camera == "bulk"]
    first, second = usual[: len(usual) // 2], usual[len(usual) // 2 :]
    assert first == second
    fresh = [case.fault.fresh for case in first]
    assert any(fresh)
    assert fresh == sorted(fresh)


def test_a_muted_run_ends_with_the_stream_s_next_start() -> None:
    faults = Faults()
    faults.arm("mute-run", 2)
    starts = 0
    while faults.on("mute-run"):
        faults.take("mute-run")
        starts += 1
    assert starts == 2


def test_lines_are_read_once_and_only_when_they_are_whole(tmp_path: Path) -> None:
    file = tmp_path / "results"
    lines = Lines(file)
    assert lines.new() == []
    file.write_text("one\ntw")
    assert lines.new() == ["one"]
    assert lines.new() == []
    with file.open("a") as more:
        more.write("o\n")
    assert lines.new() == ["two"]


def test_processes_are_ended_by_their_name_in_the_guest_only() -> None:
    with pytest.raises(RuntimeError, match="only in the guest"):
        leftovers.ours()


def test_what_lasts_is_run_when_it_is_named_and_asked_for_by_kind_and_length() -> None:
    assert not any(case.fault.kind for case in cases())
    chosen = durations.cases(["silent", "held"], 5)
    assert [case.name for case in chosen[:3]] == [
        "silent-for-0.5s@streaming",
        "held-for-0.5s@streaming",
        "silent-for-2s@streaming",
    ]
    assert [case.name for case in cases([chosen[0].name])] == [chosen[0].name]
    assert {case.fault.hold_s for case in durations.cases([], 1000)} == {*durations.DURATIONS_S}
    with pytest.raises(ValueError, match=r"no such fault: typo.*silent"):
        durations.cases(["typo"], 5)


def test_the_table_of_what_lasts_has_a_column_for_each_duration_and_says_what_holds_for_all() -> (
    None
):
    results = [
        Result(case=f"{name}@streaming", kernel="stable", ten_s=ten_s)
        for name, ten_s in (
            ("silent-for-2s", 1.0),
            ("silent-for-2s", 3.0),
            ("commit-unanswered-for-300s", 10.5),
        )
    ]
    results.append(Result(case="held-for-2s@streaming", kernel="stable", problems=["it died"]))
    page = f"before\n{lasted.BEGIN}\nold\n{lasted.END}\nafter"
    told = lasted.written(page, lasted.tables(results, Circumstances("today", "a machine")))
    assert "| no data | - | 1.00 / 3.00 | - | - | - | - | - |" in told
    assert "| no commit is answered | - | - | - | - | - | - | 10.50 / 10.50 |" in told
    assert "Over all 3 runs" in told
    assert "3.00 / 5.50 / 5.50 s" in told
    assert "- held-for-2s@streaming: it died (1)" in told
    assert "old" not in told
    assert (told.startswith("before"), told.endswith("after")) == (True, True)
