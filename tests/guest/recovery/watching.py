"""What the daemon's status tells of a case: when it noticed, what it named, what it did. Pure.

Times are CLOCK_MONOTONIC nanoseconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

QUIET = ("", "opening", "stopped", "closing")
"""Causes that tell of no fault: somebody wants it so."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One status, as it came with an event."""

    arrived_ns: int
    state: str
    since_ns: int
    """Since when it has been in this state."""
    cause: str
    rung: str
    """Running or last; empty if the daemon tells of none."""

    @classmethod
    def of(cls, document: Mapping[str, Any], arrived_ns: int, utc_offset_ns: int) -> Seen:
        """Read a status document; `utc_offset_ns` is UTC less CLOCK_MONOTONIC."""
        return cls(
            arrived_ns=arrived_ns,
            state=str(document.get("state", "")),
            since_ns=int(document.get("since_utc_ns", 0)) - utc_offset_ns,
            cause=str((document.get("cause") or {}).get("code", "")),
            rung=str((document.get("recovery") or {}).get("rung") or ""),
        )


def detected_ns(seen: Iterable[Seen], *, after_ns: int) -> int | None:
    """Return when the daemon knew of a fault after this moment; None if it never said so."""
    for one in seen:
        if one.arrived_ns <= after_ns or one.state == "streaming" or one.cause in QUIET:
            continue
        return one.since_ns if after_ns < one.since_ns <= one.arrived_ns else one.arrived_ns
    return None


def states(seen: Iterable[Seen], *, after_ns: int) -> list[str]:
    """Return the states since then, each as often as it was entered."""
    return [
        state
        for state, _ in itertools.groupby(one.state for one in seen if one.arrived_ns > after_ns)
    ]


def causes(seen: Iterable[Seen], *, after_ns: int) -> list[str]:
    """Return the causes since then that tell of a fault, each once, in order."""
    found = (one.cause for one in seen if one.arrived_ns > after_ns)
    return [cause for cause in dict.fromkeys(found) if cause not in QUIET]


def rung(
    incidents: Sequence[Mapping[str, Any]], seen: Sequence[Seen], *, after_ns: int
) -> tuple[str, bool]:
    """Return the rung that cured it or was tried last, and whether it is only derived."""
    for incident in reversed(incidents):
        tried = incident.get("tried") or []
        if incident.get("cured_by") or tried:
            return str(incident.get("cured_by") or tried[-1]["rung"]), False
    told = [one.rung for one in seen if one.arrived_ns > after_ns and one.rung]
    if told:
        return told[-1], False
    passed = states(seen, after_ns=after_ns)
    if "backoff" in passed or "failed" in passed:
        return "reopen", True
    return ("restart-stream", True) if "stalled" in passed else ("", True)
