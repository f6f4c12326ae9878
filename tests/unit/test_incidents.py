"""The incident's document and its evidence: complete, bounded, each thing once."""

from __future__ import annotations

import json

from capture_daemon.capturing.reports import Cause
from capture_daemon.diagnosis.incidents import (
    HOLDERS_MAX,
    LINES_MAX,
    TRIED_MAX,
    Evidence,
    Incident,
    Try,
    document,
    left_open,
    new_id,
)

UTC = 1_795_387_146_866_813_527
KEYS = [
    *(
        "id",
        "camera",
        "state",
        "began_utc_ns",
        "ended_utc_ns",
        "away_s",
        "cause",
        "causes",
        "tried",
    ),
    *("cured_by", "fallback_utc_ns", "holders", "kernel_log", "notes"),
]


def incident(message: str = "gone") -> Incident:
    cause = Cause("device-gone", message, "plug it in")
    return Incident(new_id(UTC), "front", "streaming", UTC, cause, ("device-gone",))


def test_the_keys_are_those_of_the_contract_whatever_happened() -> None:
    assert list(document(incident(), now_utc_ns=UTC)) == KEYS
    ended = incident().with_try(Try("reopen", UTC)).cured(UTC + 5, "reopen")
    assert list(document(ended, Evidence(notes=("x",)), now_utc_ns=UTC)) == KEYS


def test_an_incident_that_goes_on_gets_longer_and_one_that_has_ended_does_not() -> None:
    assert document(incident(), now_utc_ns=UTC + 1_500_000_000)["away_s"] == 1.5
    ended = incident().cured(UTC + 2_000_000_000, "itself")
    assert document(ended, now_utc_ns=UTC + 9_000_000_000)["away_s"] == 2.0


def test_a_clock_that_is_set_back_gives_no_negative_time() -> None:
    assert document(incident(), now_utc_ns=UTC - 1)["away_s"] == 0


def test_ids_sort_by_time_and_can_be_typed() -> None:
    assert new_id(UTC) == "20261122T223906.866"
    assert new_id(UTC) < new_id(UTC + 1_000_000) < new_id(UTC + 10**15)


def test_an_incident_is_bounded_whatever_befalls_it() -> None:
    found = incident("x" * 5000)
    for number in range(1000):
        found = found.with_try(Try("reopen", number, "why"))
        found = found.blamed(Cause(f"cause-{number}", "x"), UTC)
    lines = tuple({"utc_ns": n, "text": "x" * 300 + str(n), "meaning": ""} for n in range(1000))
    holders = tuple({"pid": n, "command": "x" * 200} for n in range(1000))
    evidence = Evidence().joined(Evidence(holders, lines))
    told = document(found, evidence, now_utc_ns=UTC)
    assert len(found.tried) == TRIED_MAX
    assert found.tried[-1].utc_ns == 999
    assert len(evidence.holders) == HOLDERS_MAX
    assert len(evidence.kernel_log) == LINES_MAX
    assert f"{1000 - TRIED_MAX} earlier tries are not listed" in str(told["notes"])
    assert len(json.dumps(told)) < 32 * 1024


def test_a_symptom_gives_way_to_the_error_that_explains_it_soon_after() -> None:
    gone = Cause("device-gone", "gone")
    silent = Incident("1", "front", "streaming", UTC, Cause("silent", "nothing"), ("silent",))
    assert silent.blamed(gone, UTC + 10**9).cause is gone
    assert silent.blamed(gone, UTC + 10**9).causes == ("silent", "device-gone")
    assert silent.blamed(gone, UTC + 3600 * 10**9).cause is silent.cause
    assert silent.blamed(Cause("garbage", "x"), UTC).cause is silent.cause
    assert incident().blamed(Cause("device-absent", "x"), UTC).cause.code == "device-gone"


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
    told = document(incident(), now_utc_ns=UTC)
    assert "the daemon ended" in str(left_open(told)["notes"])
    ended = document(incident().cured(UTC, "itself"), now_utc_ns=UTC)
    assert left_open(ended) == ended
