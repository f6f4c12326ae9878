"""How often a USB device may be reset: pure values, time passed in (CLOCK_MONOTONIC nanoseconds).

A reset that does not help is not harmless: it takes the camera, and sometimes its hub, off the bus,
and a storm of them can take the whole host controller down. The daemon keeps a budget, and so does
the privileged helper, which does not trust the daemon.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from framebus.contract.words import Rung

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


def _binds() -> Budget:
    return Budget(spacing_ns=BINDS_SPACING_NS, window_ns=0)


@dataclass(frozen=True, slots=True)
class Budgets:
    """One camera's budgets: USB resets of whatever kind share one, and rebinding has its own.

    Rebinding resets nothing on the bus. Were it paid from the same purse, a USB reset could follow
    it only after 30 s, and a camera that needs one would be away for that long. Binding a camera
    that has no driver is only asking it, and is spaced like that.
    """

    resets: Budget = field(default_factory=Budget)
    rebinds: Budget = field(default_factory=Budget)
    binds: Budget = field(default_factory=_binds)

    def free_ns(self, rung: Rung, now_ns: int) -> int:
        """Return the earliest time, from now on, at which `rung` may be used."""
        match rung:
            case Rung.BIND:
                return self.binds.free_ns(now_ns)
            case Rung.REBIND:
                return self.rebinds.free_ns(now_ns)
            case Rung.USB_RESET | Rung.REAUTHORIZE | Rung.PORT_POWER:
                return self.resets.free_ns(now_ns)
            case _:
                return now_ns

    def spend(self, rung: Rung, now_ns: int) -> Budgets:
        """Return the budgets after `rung` was used at `now_ns`."""
        match rung:
            case Rung.BIND:
                return replace(self, binds=self.binds.spend(now_ns))
            case Rung.REBIND:
                return replace(self, rebinds=self.rebinds.spend(now_ns))
            case Rung.USB_RESET | Rung.REAUTHORIZE | Rung.PORT_POWER:
                return replace(self, resets=self.resets.spend(now_ns))
            case _:
                return self
