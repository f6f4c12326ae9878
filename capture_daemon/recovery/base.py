"""What the capture thread needs of whoever carries out rungs: recovery/executor.py, or a fake."""

from __future__ import annotations

from typing import Protocol

from capture_daemon.recovery.rungs import Outcome, Rung, Unavailable
from capture_daemon.sources.base import Interrupt, Source


class Rungs(Protocol):
    """Called by the capture thread alone. It may block for seconds, and must not raise."""

    def attach(self, source: Source) -> None:
        """Look at the device of a source that is about to be opened, to know it when it is gone."""

    def survey(self) -> tuple[Unavailable, ...]:
        """Return the rungs that cannot be used on that device now."""

    def climb(self, rung: Rung, limit_s: float, interrupt: Interrupt) -> Outcome:
        """Carry a rung out, until it is done or interrupted.

        Nothing of the device may be open in this process. For `limit_s` seconds a holder is waited
        for.
        """
