"""An incident: one loss of frames, from its cause to its end, with what was tried. Pure.

What was found out about it (holders, the kernel's log) is kept apart, because it comes from another
thread at its own time; the document has both.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from framebus.contract.causes import Cause
from framebus.contract.documents import IncidentDocument
from framebus.json_parts import list_at

SYMPTOMS = frozenset({"silent", "garbage"})
"""Causes that only say what is seen."""
EXPLAINED_NS = 10_000_000_000
"""An error this soon after a symptom is its cause: an unplug is silence first on a busy machine."""
CAUSES_MAX = 20
TRIED_MAX = 40
HOLDERS_MAX = 12
LINES_MAX = 40
_CAUSE_MAX = 500
"""Characters of a cause's message and of its remedy: people and servers have a say in them."""


@dataclass(frozen=True, slots=True)
class Try:
    """One thing that was done to get frames again."""

    rung: str
    at_ns: int
    """When it began, CLOCK_MONOTONIC; of several, the first time."""
    note: str = ""
    times: int = 1
    """How often in a row."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What the controller knows of it. Times are CLOCK_MONOTONIC nanoseconds: the time of day may
    be set while it goes on.
    """

    id: str
    camera: str
    state: str
    """The state of the capture in which it began."""
    began_ns: int
    """When the newest frame came; or when the first try failed, if there were no frames before."""
    cause: Cause
    """The first one (what follows an unplug is only that there is no device); but a symptom gives
    way to what explains it soon after."""
    causes: tuple[str, ...]
    """Codes, in the order in which each was first seen."""
    tried: tuple[Try, ...] = ()
    left_off: int = 0
    """Tries that are no longer listed: the oldest go."""
    ended_ns: int | None = None
    cured_by: str | None = None
    fallback_ns: int | None = None
    """Since when viewers saw the fallback meanwhile, if they did."""
    note: str = ""
    """Why it ended without frames, if it did."""

    def away_ns(self, now_ns: int) -> int:
        """Return for how long there were no frames, or are none until now."""
        return max(0, (now_ns if self.ended_ns is None else self.ended_ns) - self.began_ns)

    def blamed(self, cause: Cause, now_ns: int) -> Incident:
        """Return it with another cause, seen at this time."""
        if cause.code in self.causes or len(self.causes) >= CAUSES_MAX:
            return self
        soon = now_ns - self.began_ns < EXPLAINED_NS
        explains = soon and self.cause.code in SYMPTOMS and cause.code not in SYMPTOMS
        first = cause if explains else self.cause
        return replace(self, cause=first, causes=(*self.causes, cause.code))

    def with_try(self, each: Try) -> Incident:
        """Return it with one more thing tried; the same again is counted."""
        last = self.tried[-1] if self.tried else None
        if last is not None and (last.rung, last.note) == (each.rung, each.note):
            return replace(self, tried=(*self.tried[:-1], replace(last, times=last.times + 1)))
        tried = (*self.tried, each)
        over = max(0, len(tried) - TRIED_MAX)
        return replace(self, tried=tried[over:], left_off=self.left_off + over)

    def cured(self, at_ns: int, by: str) -> Incident:
        """Return it as ended: frames are back since then."""
        return replace(self, ended_ns=at_ns, cured_by=by)

    def given_up(self, at_ns: int, note: str) -> Incident:
        """Return it as ended without frames."""
        return replace(self, ended_ns=at_ns, note=note)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found out about an incident."""

    holders: tuple[Mapping[str, object], ...] = ()
    kernel_log: tuple[Mapping[str, object], ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be seen."""

    def joined(self, later: Evidence) -> Evidence:
        """Return both: each process once, as it was seen first, and the longer reading of the log,
        since a later one begins where the earlier did.
        """
        known = {holder["pid"] for holder in self.holders}
        holders = [*self.holders, *(each for each in later.holders if each["pid"] not in known)]
        log = later.kernel_log if len(later.kernel_log) >= len(self.kernel_log) else self.kernel_log
        return Evidence(
            holders=tuple(holders[:HOLDERS_MAX]),
            kernel_log=log[-LINES_MAX:],
            notes=tuple(dict.fromkeys((*self.notes, *later.notes))),
        )


NOTHING = Evidence()


def new_id(utc_ns: int) -> str:
    """Return an incident's name, from the moment of its beginning: it sorts, and can be typed."""
    seconds, rest_ns = divmod(utc_ns, 1_000_000_000)
    day = time.strftime("%Y%m%dT%H%M%S", time.gmtime(seconds))
    return f"{day}.{rest_ns // 1_000_000:03d}"


def document(
    incident: Incident, evidence: Evidence = NOTHING, *, now_ns: int, to_utc_ns: int
) -> IncidentDocument:
    """Return it as events, replies and the journal have it; docs/control.md has the keys.

    `to_utc_ns` is UTC less CLOCK_MONOTONIC, as it is now.
    """

    def utc(at_ns: int | None) -> int | None:
        return None if at_ns is None else at_ns + to_utc_ns

    notes = [*evidence.notes, *filter(None, [incident.note])]
    if incident.left_off:
        notes.append(f"{incident.left_off} earlier tries are not listed")
    return {
        "id": incident.id,
        "camera": incident.camera,
        "state": incident.state,
        "began_utc_ns": utc(incident.began_ns),
        "ended_utc_ns": utc(incident.ended_ns),
        "away_s": round(incident.away_ns(now_ns) / 1e9, 3),
        "cause": {
            "code": incident.cause.code,
            "message": _short(incident.cause.message),
            "remedy": _short(incident.cause.remedy),
        },
        "causes": list(incident.causes),
        "tried": [
            {
                "rung": each.rung,
                "utc_ns": utc(each.at_ns),
                "note": each.note,
                "times": each.times,
            }
            for each in incident.tried
        ],
        "cured_by": incident.cured_by,
        "fallback_utc_ns": utc(incident.fallback_ns),
        "holders": [dict(each) for each in evidence.holders],
        "kernel_log": [dict(each) for each in evidence.kernel_log],
        "notes": notes,
    }


def left_open(told: Mapping[str, object]) -> dict[str, object]:
    """Return an earlier daemon's document of an incident whose end it did not see."""
    if told.get("ended_utc_ns") is not None:
        return dict(told)
    note = "the daemon ended before frames came back"
    return {**told, "notes": [*list_at(told, "notes"), note]}


def _short(text: str) -> str:
    return text if len(text) <= _CAUSE_MAX else text[: _CAUSE_MAX - 1] + "…"
