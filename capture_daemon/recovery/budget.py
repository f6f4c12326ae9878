"""How often a USB device may be reset: pure values, time passed in (CLOCK_MONOTONIC nanoseconds).

A reset that does not help is not harmless: it takes the camera, and sometimes its hub, off the bus,
and a storm of them can take the whole host controller down. The daemon keeps a budget, and so does
the privileged helper, which does not trust the daemon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from framebus.contract.words import Rung

from capture_daemon.recovery.rungs import RESETS

SPACING_NS = 30_000_000_000
"""At most one in this time ..."""
MOST = 3
WINDOW_NS = 600_000_000_000
"""... and at most MOST in this one."""
BINDS_SPACING_NS = 2_000_000_000
"""Binding a driver resets nothing; but it then asks the camera, and may wait for answers."""


@dataclass(frozen=True, slots=True)
class Budget:
    """When something was done lately, and so when it may be done again."""

    spent_ns: tuple[int, ...] = ()
    spacing_ns: int = SPACING_NS
    window_ns: int = WINDOW_NS

    def free_ns(self, now_ns: int) -> int:
        """Return the earliest time, from now on, at which it may be done."""
        times = [now_ns]
        if self.spent_ns:
            times.append(self.spent_ns[-1] + self.spacing_ns)
        if len(self.spent_ns) >= MOST:
            times.append(self.spent_ns[-MOST] + self.window_ns)
        return max(times)

    def spend(self, now_ns: int) -> Budget:
        """Return the budget after it was done at `now_ns`."""
        return replace(self, spent_ns=(*self.spent_ns, now_ns)[-MOST:])


_AT_FIRST: Mapping[Rung, Budget] = {
    Rung.USB_RESET: Budget(),
    Rung.REBIND: Budget(),
    Rung.BIND: Budget(spacing_ns=BINDS_SPACING_NS, window_ns=0),
}


@dataclass(frozen=True, slots=True)
class Budgets:
    """One camera's budgets: USB resets of whatever kind share one, and rebinding has its own.

    Rebinding resets nothing on the bus. Were it paid from the same purse, a USB reset could follow
    it only after 30 s, and a camera that needs one would be away for that long. Binding a camera
    that has no driver is only asking it, and is spaced like that.
    """

    _of: Mapping[Rung, Budget] = field(default_factory=lambda: _AT_FIRST)

    def free_ns(self, rung: Rung, now_ns: int) -> int:
        """Return the earliest time, from now on, at which `rung` may be used."""
        budget = self._of.get(_paid_as(rung))
        return now_ns if budget is None else budget.free_ns(now_ns)

    def spend(self, rung: Rung, now_ns: int) -> Budgets:
        """Return the budgets after `rung` was used at `now_ns`."""
        paid_as = _paid_as(rung)
        budget = self._of.get(paid_as)
        return self if budget is None else Budgets({**self._of, paid_as: budget.spend(now_ns)})


def _paid_as(rung: Rung) -> Rung:
    return Rung.USB_RESET if rung in RESETS else rung
