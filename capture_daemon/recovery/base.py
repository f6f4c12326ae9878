"""What the capture thread needs of whoever carries out rungs: recovery/executor.py, or a fake."""

from __future__ import annotations

from typing import Protocol

from framebus.contract.words import Rung

from capture_daemon.recovery.rungs import Outcome, Unavailable
from capture_daemon.sources.base import Interrupt, Source


class Rungs(Protocol):
    """Called by the capture thread alone. It may block for seconds, and must not raise."""

    def survey(self, source: Source | None) -> tuple[Unavailable, ...]:
        """Look at the device of a source, open or not; return the rungs that it cannot have now.

        Where the device is, and what it is, is remembered for the time when it is gone.
        """

    def run_rung(self, rung: Rung, limit_s: float, interrupt: Interrupt) -> Outcome:
        """Carry a rung out, until it is done or interrupted.

        Nothing of the device may be open in this process. For `limit_s` seconds a holder is waited
        for.
        """
