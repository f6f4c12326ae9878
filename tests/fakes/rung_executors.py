"""Stand-ins for whoever carries out the rungs of the recovery ladder."""

from __future__ import annotations

from framebus.contract.words import DEVICE_LEVEL, Rung

from capture_daemon.recovery.rungs import Outcome, Result, Unavailable
from capture_daemon.sources.base import Interrupt, Source


class NoRungs:
    """Nothing may be done to the device."""

    def survey(self, source: Source | None) -> tuple[Unavailable, ...]:
        return tuple(Unavailable(rung, "no device") for rung in DEVICE_LEVEL)

    def run_rung(self, rung: Rung, limit_s: float, interrupt: Interrupt) -> Outcome:
        return Outcome(Result.NOTHING)
