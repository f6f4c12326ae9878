"""What the diagnostics have found: incidents with their evidence, and who has the device.

Main thread only. It answers the control calls `incidents` (from memory) and `holders` (within
`BOUND_S`, with what is known by then), sends the event `incident`, and has the journal written.
Knows no socket, and waits for nothing.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from framebus.clocks import utc_offset_ns
from framebus.contract.documents import IncidentDocument
from framebus.contract.methods import INCIDENTS_MAX
from framebus.contract.words import EventName

from capture_daemon.control.diagnostics_thread import (
    DiagnosticsReport,
    DiagnosticsThread,
    EvidenceFound,
    HoldersSeen,
    JournalRead,
    JournalTrouble,
)
from capture_daemon.control.refusal import Answer, WaitingCall, earliest_ns
from capture_daemon.diagnosis.incidents import NOTHING, Evidence, Incident, document
from capture_daemon.diagnosis.records import Holders
from capture_daemon.diagnosis.totals import Totals

log = logging.getLogger(__name__)

FRESH_NS = 1_000_000_000
"""What was seen at most this long ago is the answer to a new question."""
HOLDERS_MAX = 64
"""Holders in one reply."""
_REPLY_MAX = 56 * 1024  # bytes of a reply's incidents; a whole message has 64 KiB

Document = Mapping[str, object]


class IncidentLog:
    """The incidents of one camera, and its device's holders."""

    def __init__(
        self,
        *,
        diagnostics: DiagnosticsThread,
        journal: Path,
        event: Callable[[EventName, Mapping[str, object]], None],
        pid: int,
        clock: Callable[[], int] = time.monotonic_ns,
        to_utc: Callable[[], int] = utc_offset_ns,
    ) -> None:
        """Take where to ask and to tell; `journal` and our own `pid` are named in replies."""
        self._diagnostics = diagnostics
        self._journal = journal
        self._event = event
        self._pid = pid
        self._clock = clock
        self._to_utc = to_utc
        self._earlier: dict[str, Document] = {}
        """By id, oldest first; those of this daemon are in `_own`."""
        self._own: dict[str, Incident] = {}
        self._evidence: dict[str, Evidence] = {}
        self._ended_to_utc_ns: dict[str, int] = {}
        """UTC less CLOCK_MONOTONIC at the end of each: what is over keeps its moments."""
        self._totals = Totals()
        self._unwritten = 0
        self._trouble: str | None = None
        self._seen: HoldersSeen | None = None
        self._looking = False
        self._waiting = WaitingCall()
        """The calls of `holders`, which are one."""

    # -- incidents ---------------------------------------------------------------------------

    def on_incident(self, incident: Incident) -> None:
        """Take in an incident that has begun, changed or ended."""
        before = self._own.get(incident.id)
        self._own[incident.id] = incident
        self._totals.add(incident)
        self._bound()
        ended = incident.ended_ns is not None
        if ended:
            self._ended_to_utc_ns[incident.id] = self._to_utc()
        self._event("incident", self._document(incident))
        if before is None or ended:
            self._diagnostics.write(self._document(incident))
        if before is None or ended or before.causes != incident.causes:
            since_utc_ns = incident.began_ns + self._to_utc()
            self._diagnostics.evidence(incident.id, since_utc_ns, holders=not ended)

    def incidents(self, answer: Answer, *, limit: int) -> None:
        """Answer with the newest incidents, newest first."""
        known = [*self._earlier.values(), *(self._document(each) for each in self._own.values())]
        chosen = known[-limit:][::-1]
        room, told = _REPLY_MAX, []
        for each in chosen:
            room -= len(json.dumps(each, separators=(",", ":")))
            if room < 0:
                break
            told.append(each)
        answer.result(
            {
                "incidents": told,
                "now": next(
                    (each.id for each in self._own.values() if each.ended_ns is None), None
                ),
                "left_off": len(known) - len(told),
                "totals": self._totals.document(),
                "journal": {
                    "path": str(self._journal),
                    "unwritten": self._unwritten,
                    "trouble": self._trouble,
                },
            }
        )

    # -- holders -----------------------------------------------------------------------------

    def holders(self, answer: Answer, now_ns: int) -> None:
        """Answer with who has the device."""
        seen = self._seen
        if seen is not None and now_ns - seen.seen_ns < FRESH_NS:
            answer.result(self._holders(fresh=True))
            return
        if not self._looking:
            self._looking = self._diagnostics.look_for_holders()
        self._waiting.join(answer, now_ns)

    def tick(self, now_ns: int) -> None:
        """Answer those who have waited long enough."""
        for answer in self._waiting.overdue(now_ns):
            answer.result(self._holders(fresh=False))

    def deadline_ns(self) -> int | None:
        """Return when `tick` must be called next; None if nobody waits."""
        return earliest_ns([self._waiting])

    # -- what the thread says ------------------------------------------------------------------

    def on_report(self, report: DiagnosticsReport) -> None:
        """Take in what the diagnostics thread has found."""
        match report:
            case EvidenceFound(incident, evidence):
                self._on_evidence(incident, evidence)
            case HoldersSeen():
                self._seen = report
                self._looking = False
                waiting, self._waiting = self._waiting, WaitingCall()
                for answer in waiting.answers:
                    answer.result(self._holders(fresh=True))
            case JournalRead(incidents):
                self._earlier = {str(each["id"]): each for each in incidents}
                self._bound()
            case JournalTrouble(reason, unwritten):
                if reason not in (None, self._trouble):
                    log.warning("incidents are not kept in %s: %s", self._journal, reason)
                self._trouble, self._unwritten = reason, unwritten

    # -- inside ----------------------------------------------------------------------------

    def _on_evidence(self, id_: str, evidence: Evidence) -> None:
        incident = self._own.get(id_)
        if incident is None:
            return  # so many came after it that it is no longer remembered
        known = self._evidence.get(id_, NOTHING)
        self._evidence[id_] = known.joined(evidence)
        if self._evidence[id_] != known:
            self._event("incident", self._document(incident))
            self._diagnostics.write(self._document(incident))

    def _document(self, incident: Incident) -> IncidentDocument:
        evidence = self._evidence.get(incident.id, NOTHING)
        to_utc_ns = self._ended_to_utc_ns.get(incident.id)
        if to_utc_ns is None:
            to_utc_ns = self._to_utc()
        return document(incident, evidence, now_ns=self._clock(), to_utc_ns=to_utc_ns)

    def _bound(self) -> None:
        while len(self._earlier) + len(self._own) > INCIDENTS_MAX:
            oldest = self._earlier or self._own
            id_ = next(iter(oldest))
            del oldest[id_]
            self._evidence.pop(id_, None)
            self._ended_to_utc_ns.pop(id_, None)

    def _holders(self, *, fresh: bool) -> Document:
        seen = self._seen or HoldersSeen("", Holders((), 0), 0)
        seen_utc_ns = seen.seen_ns + self._to_utc() if seen.seen_ns else None
        return {
            "device": seen.device,
            "pid": self._pid,
            "holders": [each.document() for each in seen.holders.found[:HOLDERS_MAX]],
            "unseen": seen.holders.unseen,
            "notes": seen.holders.notes(),
            "seen_utc_ns": seen_utc_ns,
            "fresh": fresh,
        }
