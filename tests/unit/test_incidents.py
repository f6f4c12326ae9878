"""The incident's document and its evidence: complete, bounded, each thing once."""

from __future__ import annotations

import json

import pytest
from framebus.contract.causes import Cause
from framebus.contract.documents import IncidentDocument

from capture_daemon.diagnosis.incidents import (
    HOLDERS_MAX,
    LINES_MAX,
    NOTHING,
    TRIED_MAX,
    Evidence,
    Incident,
    Try,
    document,
    left_open,
    new_id,
)

UTC = 1_795_387_146_866_813_527
NOW = 5_000_000_000_000
"""CLOCK_MONOTONIC, at UTC."""


def incident(message: str = "gone") -> Incident:
    cause = Cause("device-gone", message, "plug it in")
    return Incident(new_id(UTC), "front", "streaming", NOW, cause, ("device-gone",))


def told_of(
    found: Incident, evidence: Evidence = NOTHING, *, now_ns: int = NOW, utc_ns: int = UTC - NOW
) -> IncidentDocument:
    return document(found, evidence, now_ns=now_ns, to_utc_ns=utc_ns)


def test_the_keys_are_those_of_the_contract_whatever_happened() -> None:
    assert list(told_of(incident())) == list(IncidentDocument.__annotations__)
    ended = incident().with_try(Try("reopen", NOW)).cured(NOW + 5, "reopen")
    assert list(told_of(ended, Evidence(notes=("x",)))) == list(IncidentDocument.__annotations__)


def test_an_incident_that_goes_on_gets_longer_and_one_that_has_ended_does_not() -> None:
    assert told_of(incident(), now_ns=NOW + 1_500_000_000)["away_s"] == 1.5
    ended = incident().cured(NOW + 2_000_000_000, "itself")
    assert told_of(ended, now_ns=NOW + 9_000_000_000)["away_s"] == 2.0


@pytest.mark.parametrize("step_s", [1_000_000, -1_000_000])
def test_a_time_of_day_that_is_set_meanwhile_moves_the_moments_and_not_the_length(
    step_s: int,
) -> None:
    utc_ns = UTC - NOW + step_s * 10**9
    goes_on = told_of(incident(), now_ns=NOW + 3_000_000_000, utc_ns=utc_ns)
    assert goes_on["away_s"] == 3.0
    found = incident().with_try(Try("reopen", NOW + 10**9)).cured(NOW + 5_000_000_000, "reopen")
    told = told_of(found, utc_ns=utc_ns)
    assert told["away_s"] == 5.0
    assert told["began_utc_ns"] == UTC + step_s * 10**9
    assert told["ended_utc_ns"] == UTC + (step_s + 5) * 10**9
    assert told["tried"] == [
        {"rung": "reopen", "utc_ns": UTC + (step_s + 1) * 10**9, "note": "", "times": 1}
    ]


def test_the_same_again_and_again_is_listed_once_with_when_it_began_and_how_often() -> None:
    found = incident()
    for number in range(1000):
        found = found.with_try(Try("reopen", NOW + number))
    assert found.tried == (Try("reopen", NOW, times=1000),)
    found = found.with_try(Try("usb-reset", NOW)).with_try(Try("reopen", NOW))
    assert [(each.rung, each.times) for each in found.tried] == [
        ("reopen", 1000),
        ("usb-reset", 1),
        ("reopen", 1),
    ]


def test_ids_sort_by_time_and_can_be_typed() -> None:
    assert new_id(UTC) == "20261122T223906.866"
    assert new_id(UTC) < new_id(UTC + 1_000_000) < new_id(UTC + 10**15)


def test_an_incident_is_bounded_whatever_befalls_it() -> None:
    found = incident("x" * 5000)
    for number in range(1000):
        found = found.with_try(Try("reopen", number, f"why {number}"))
        found = found.blamed(Cause.told({"code": f"cause-{number}"}), NOW)
    lines = tuple({"utc_ns": n, "text": "x" * 300 + str(n), "meaning": ""} for n in range(1000))
    holders = tuple({"pid": n, "command": "x" * 200} for n in range(1000))
    evidence = Evidence().joined(Evidence(holders, lines))
    told = told_of(found, evidence)
    assert len(found.tried) == TRIED_MAX
    assert found.tried[-1].at_ns == 999
    assert len(evidence.holders) == HOLDERS_MAX
    assert len(evidence.kernel_log) == LINES_MAX
    assert f"{1000 - TRIED_MAX} earlier tries are not listed" in str(told["notes"])
    assert len(json.dumps(told)) < 32 * 1024


def test_a_symptom_gives_way_to_the_error_that_explains_it_soon_after() -> None:
    gone = Cause("device-gone", "gone")
    silent = Incident("1", "front", "streaming", NOW, Cause("silent", "nothing"), ("silent",))
    assert silent.blamed(gone, NOW + 10**9).cause is gone
    assert silent.blamed(gone, NOW + 10**9).causes == ("silent", "device-gone")
    assert silent.blamed(gone, NOW + 3600 * 10**9).cause is silent.cause
    assert silent.blamed(Cause("garbage", "x"), NOW).cause is silent.cause
    assert incident().blamed(Cause("device-absent", "x"), NOW).cause.code == "device-gone"


def test_what_is_found_twice_is_said_once() -> None:
    line, again = {"utc_ns": 1, "text": "a"}, {"utc_ns": 2, "text": "a"}
    first = Evidence(({"pid": 1, "how": ["descriptor"]},), (line,), ("no log",))
    later = Evidence(({"pid": 1}, {"pid": 2}), (line, again), ("no log", "no /proc"))
    both = first.joined(later)
    assert [each["pid"] for each in both.holders] == [1, 2]
    assert both.holders[0]["how"] == ["descriptor"]
    assert both.kernel_log == (line, again)
    assert both.notes == ("no log", "no /proc")
    assert both.joined(Evidence()).kernel_log == (line, again)


def test_an_incident_that_its_daemon_did_not_outlive_says_so() -> None:
    told = told_of(incident())
    assert "the daemon ended" in str(left_open(told)["notes"])
    ended = told_of(incident().cured(NOW, "itself"))
    assert left_open(ended) == ended
