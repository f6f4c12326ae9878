"""The counts of incidents: each once, when it ends, and in bounded room."""

from __future__ import annotations

from framebus.contract.causes import Cause

from capture_daemon.diagnosis.incidents import Incident
from capture_daemon.diagnosis.totals import ROWS_MAX, Totals

S = 1_000_000_000


def incident(code: str = "device-gone") -> Incident:
    return Incident("1", "front", "streaming", 5 * S, Cause.told({"code": code}), (code,))


def test_an_incident_counts_when_it_ends_by_its_cause_and_its_cure() -> None:
    totals = Totals()
    totals.add(incident())
    assert totals.document() == []
    totals.add(incident().cured(7 * S, "reopen"))
    totals.add(incident().cured(6 * S, "reopen"))
    totals.add(incident().given_up(6 * S, "stopped"))
    assert totals.document() == [
        {"cause": "device-gone", "cured_by": "reopen", "count": 2, "away_s": 3.0},
        {"cause": "device-gone", "cured_by": "nothing", "count": 1, "away_s": 1.0},
    ]


def test_an_end_before_the_beginning_takes_no_time_off() -> None:
    totals = Totals()
    totals.add(incident().cured(4 * S, "itself"))
    assert totals.document()[0]["away_s"] == 0


def test_too_many_causes_are_counted_together_and_none_is_lost() -> None:
    totals = Totals()
    for number in range(3 * ROWS_MAX):
        totals.add(incident(f"code-{number}").cured(6 * S, "itself"))
    rows = totals.document()
    assert len(rows) == ROWS_MAX + 1
    assert sum(int(str(row["count"])) for row in rows) == 3 * ROWS_MAX
    assert rows[-1]["cause"] == "other"
