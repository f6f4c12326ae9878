"""What the main thread does with incidents and evidence, with a thread that only takes notes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from framebus.contract.causes import Cause
from framebus.contract.methods import INCIDENTS_MAX
from framebus.control.protocol import MESSAGE_MAX, Reply

from capture_daemon.control.diagnostics_thread import (
    DiagnosticsThread,
    EvidenceFound,
    HoldersSeen,
    JournalRead,
    JournalTrouble,
)
from capture_daemon.control.incident_log import IncidentLog
from capture_daemon.control.refusal import Refusal
from capture_daemon.diagnosis.incidents import Evidence, Incident, Try
from capture_daemon.diagnosis.records import Holder, Holders

S = 1_000_000_000
NOW = 1000 * S
UTC = 1_795_387_146 * S
HOLDER = Holder(4711, "cheese", "ada", UTC, "session-3.scope", ("descriptor",), False)


@dataclass
class Diagnostics(DiagnosticsThread):
    """Takes notes."""

    asked: list[tuple[str, bool]] = field(default_factory=list)
    looks: int = 0
    full: bool = False
    written: list[Mapping[str, Any]] = field(default_factory=list)

    def evidence(self, incident: str, since_utc_ns: int, *, holders: bool) -> None:
        self.asked.append((incident, holders))

    def look_for_holders(self) -> bool:
        self.looks += not self.full
        return not self.full

    def write(self, document: Mapping[str, object]) -> None:
        self.written.append(document)


@dataclass
class OneAnswer:
    user: int = 0
    got: list[Mapping[str, Any]] = field(default_factory=list)

    def result(self, result: Mapping[str, object]) -> None:
        self.got.append(result)

    def refuse(self, refusal: Refusal) -> None:
        raise refusal


class Bench:
    def __init__(self) -> None:
        self.diagnostics = Diagnostics()
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.now_ns = NOW
        self.to_utc_ns = UTC - NOW
        self.incident_log = IncidentLog(
            diagnostics=self.diagnostics,
            journal=Path("/state/front.incidents.jsonl"),
            event=lambda name, document: self.events.append((name, document)),
            pid=1,
            clock=lambda: self.now_ns,
            to_utc=lambda: self.to_utc_ns,
        )

    def incidents(self, limit: int = 20) -> Mapping[str, Any]:
        answer = OneAnswer()
        self.incident_log.incidents(answer, limit=limit)
        (got,) = answer.got
        return got


@pytest.fixture
def bench() -> Bench:
    return Bench()


def incident(number: int = 1, message: str = "gone") -> Incident:
    cause = Cause("device-gone", message)
    return Incident(f"{number:05d}", "front", "streaming", NOW, cause, ("device-gone",))


def test_an_incident_is_told_written_and_looked_into_at_once(bench: Bench) -> None:
    bench.incident_log.on_incident(incident())
    ((name, told),) = bench.events
    assert name == "incident"
    assert told["cause"]["code"] == "device-gone"
    assert [each["id"] for each in bench.diagnostics.written] == ["00001"]
    assert bench.diagnostics.asked == [("00001", True)]
    assert bench.incidents()["now"] == "00001"


def test_another_cause_is_looked_into_and_a_try_is_only_told(bench: Bench) -> None:
    bench.incident_log.on_incident(incident())
    bench.incident_log.on_incident(incident().with_try(Try("reopen", NOW)))
    assert len(bench.diagnostics.asked) == 1
    assert len(bench.diagnostics.written) == 1
    assert len(bench.events) == 2
    bench.incident_log.on_incident(incident().blamed(Cause("device-absent", "not there"), NOW))
    assert len(bench.diagnostics.asked) == 2


def test_its_end_is_written_and_the_log_is_read_once_more(bench: Bench) -> None:
    bench.incident_log.on_incident(incident())
    bench.incident_log.on_incident(incident().cured(NOW + 2 * S, "reopen"))
    assert bench.diagnostics.asked[-1] == ("00001", False)
    assert bench.diagnostics.written[-1]["cured_by"] == "reopen"
    assert bench.incidents()["now"] is None


def test_evidence_that_comes_after_the_end_is_still_added_and_written(bench: Bench) -> None:
    bench.incident_log.on_incident(incident().cured(NOW, "itself"))
    evidence = Evidence(kernel_log=({"utc_ns": UTC, "text": "usb 1-1: …", "meaning": "gone"},))
    bench.incident_log.on_report(EvidenceFound("00001", evidence))
    assert bench.diagnostics.written[-1]["kernel_log"][0]["meaning"] == "gone"
    assert bench.incidents()["incidents"][0]["kernel_log"]
    before = len(bench.diagnostics.written)
    bench.incident_log.on_report(EvidenceFound("00001", evidence))
    assert len(bench.diagnostics.written) == before


def test_incidents_come_newest_first_and_those_of_earlier_daemons_are_among_them(
    bench: Bench,
) -> None:
    earlier = ({"id": "00000", "began_utc_ns": 1}, {"id": "00001", "began_utc_ns": 2})
    bench.incident_log.on_incident(incident(2))
    bench.incident_log.on_report(JournalRead(earlier))
    assert [each["id"] for each in bench.incidents()["incidents"]] == ["00002", "00001", "00000"]
    assert [each["id"] for each in bench.incidents(limit=1)["incidents"]] == ["00002"]
    assert bench.incidents(limit=1)["left_off"] == 2


def test_memory_is_bounded_and_a_reply_always_fits_into_a_message(bench: Bench) -> None:
    line = {"utc_ns": UTC, "text": "x" * 300, "meaning": ""}
    for number in range(2 * INCIDENTS_MAX):
        bench.incident_log.on_incident(incident(number, message="x" * 400).cured(NOW, "itself"))
        evidence = Evidence(kernel_log=tuple({**line, "text": f"{n}" * 100} for n in range(40)))
        bench.incident_log.on_report(EvidenceFound(f"{number:05d}", evidence))
    reply = bench.incidents(limit=INCIDENTS_MAX)
    assert len(Reply(1, result=reply).encode()) < MESSAGE_MAX
    assert 0 < len(reply["incidents"]) < INCIDENTS_MAX
    assert len(reply["incidents"]) + reply["left_off"] == INCIDENTS_MAX
    json.dumps(reply)


def test_a_full_disk_is_logged_once_and_told(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    for count in (1, 2, 3):
        bench.incident_log.on_report(JournalTrouble("No space left on device", count))
    assert len(caplog.records) == 1
    journal = bench.incidents()["journal"]
    assert journal["trouble"] == "No space left on device"
    assert journal["unwritten"] == 3
    bench.incident_log.on_report(JournalTrouble(None, 3))
    assert bench.incidents()["journal"]["trouble"] is None


def test_who_asks_for_holders_waits_for_one_look_and_no_longer_than_the_bound(
    bench: Bench,
) -> None:
    first, second = OneAnswer(), OneAnswer()
    bench.incident_log.holders(first, 0)
    bench.incident_log.holders(second, 0)
    assert bench.diagnostics.looks == 1
    assert not first.got
    bench.incident_log.on_report(HoldersSeen("/dev/video0", Holders((HOLDER,), 3), NOW))
    assert first.got == second.got
    assert first.got[0]["fresh"]
    assert first.got[0]["holders"][0]["command"] == "cheese"
    assert first.got[0]["unseen"] == 3
    assert "sudo framebus doctor" in first.got[0]["notes"][0]
    assert bench.incident_log.deadline_ns() is None


def test_a_look_that_hangs_is_answered_with_what_is_known(bench: Bench) -> None:
    answer = OneAnswer()
    bench.incident_log.holders(answer, 0)
    deadline_ns = bench.incident_log.deadline_ns()
    assert deadline_ns is not None
    bench.incident_log.tick(deadline_ns - 1)
    assert not answer.got
    bench.incident_log.tick(deadline_ns)
    assert answer.got[0]["fresh"] is False
    assert answer.got[0]["seen_utc_ns"] is None


def test_a_look_that_could_not_be_asked_for_is_asked_for_by_the_next_call(bench: Bench) -> None:
    bench.diagnostics.full = True
    bench.incident_log.holders(OneAnswer(), 0)
    bench.diagnostics.full = False
    bench.incident_log.holders(OneAnswer(), 0)
    bench.incident_log.holders(OneAnswer(), 0)
    assert bench.diagnostics.looks == 1


def test_what_was_seen_a_moment_ago_is_not_looked_for_again(bench: Bench) -> None:
    bench.incident_log.on_report(HoldersSeen("/dev/video0", Holders((HOLDER,), 0), NOW))
    answer = OneAnswer()
    bench.incident_log.holders(answer, bench.now_ns)
    assert answer.got[0]["fresh"]
    bench.now_ns += 5 * S
    bench.incident_log.holders(answer, bench.now_ns)
    assert bench.diagnostics.looks == 1


def test_totals_count_what_the_list_has_long_forgotten(bench: Bench) -> None:
    for number in range(2 * INCIDENTS_MAX):
        bench.incident_log.on_incident(incident(number))
        bench.incident_log.on_incident(incident(number).cured(NOW + S, "reopen"))
    (total,) = bench.incidents(limit=1)["totals"]
    assert (total["cause"], total["cured_by"]) == ("device-gone", "reopen")
    assert (total["count"], total["away_s"]) == (2 * INCIDENTS_MAX, 2 * INCIDENTS_MAX)


def test_a_time_of_day_that_is_set_changes_no_length_and_nothing_of_what_is_over(
    bench: Bench,
) -> None:
    bench.incident_log.on_incident(incident(1).cured(NOW + 2 * S, "reopen"))
    before = bench.incidents()["incidents"]
    bench.incident_log.on_incident(incident(2))
    bench.to_utc_ns += 1_000_000 * S
    bench.now_ns += 3 * S
    goes_on, over = bench.incidents()["incidents"]
    assert [over] == before
    assert goes_on["away_s"] == 3.0
    assert goes_on["began_utc_ns"] == UTC + 1_000_000 * S
    bench.incident_log.on_incident(incident(2).cured(NOW + 5 * S, "reopen"))
    assert bench.incidents()["totals"] == [
        {"cause": "device-gone", "cured_by": "reopen", "count": 2, "away_s": 7.0}
    ]
