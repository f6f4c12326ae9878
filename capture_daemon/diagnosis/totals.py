"""How many incidents there were in this daemon's life, by what caused and what cured them. Pure.

The lists of incidents are bounded and forget; these only grow, as a time series wants it.
"""

from __future__ import annotations

from framebus.contract.words import CuredBy

from capture_daemon.diagnosis.incidents import Incident

REST = "other"
"""Stands for causes and cures beyond the first `ROWS_MAX`."""
ROWS_MAX = 64
"""Pairs of cause and cure that are told apart: a reply must stay short."""


class Totals:
    """Counts incidents when they end, since until then their cause may change."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], tuple[int, int]] = {}
        """Count and nanoseconds without frames, by cause and cure."""

    def add(self, incident: Incident) -> None:
        """Count an incident; nothing happens while it goes on."""
        if incident.ended_ns is None:
            return
        key: tuple[str, str] = (incident.cause.code, incident.cured_by or CuredBy.NOTHING)
        if key not in self._rows and len(self._rows) >= ROWS_MAX:
            key = (REST, REST)
        count, away_ns = self._rows.get(key, (0, 0))
        away_ns += incident.away_ns(incident.ended_ns)
        self._rows[key] = (count + 1, away_ns)

    def document(self) -> list[dict[str, object]]:
        """Return them as the reply to `incidents` has them."""
        return [
            {
                "cause": cause,
                "cured_by": cured_by,
                "count": count,
                "away_s": round(away_ns / 1e9, 3),
            }
            for (cause, cured_by), (count, away_ns) in self._rows.items()
        ]
