"""Remembers what was tried since when, what helped last, what may be used. Main thread.

The choice itself is ladder.py's. No I/O, and time comes in (CLOCK_MONOTONIC nanoseconds).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from framebus.contract.words import Rung

from capture_daemon.recovery import ladder
from capture_daemon.recovery.budget import Budgets
from capture_daemon.recovery.failures import Failure
from capture_daemon.recovery.ladder import Situation, Step
from capture_daemon.recovery.rungs import RESETS, Unavailable

_LADDER = tuple(Rung)

PROBATION_S = 10.0
"""A stream that fails again within this time after it has settled was not cured: the ladder goes on
where it was."""

ENDLESS_TRIES = 3
"""Where the ladder has no end, so many tries to open again in vain are what a lap is elsewhere."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the ladder was gone, at one moment."""

    rung: Rung | None
    """What is being tried, or was last, since the stream was last well."""
    step: Step | None
    """What was chosen and waits for its time."""
    tries: Mapping[Rung, int]
    """How often each rung was tried, ever, in the ladder's order."""
    unavailable: tuple[Unavailable, ...]
    """In the ladder's order."""


class RecoveryEscalation:
    """One camera's way up the ladder, over all its outages."""

    def __init__(self, *, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self.step: Step | None = None
        self.rung: Rung | None = None
        self.unavailable: dict[Rung, Unavailable] = {}
        self._began: Counter[Rung] = Counter()
        """How often each rung was tried, ever; a person's wishes included."""
        self._budgets = Budgets()
        self._memory: dict[Failure, Rung] = {}
        self._first: Failure | None = None
        """What the present outage began with."""
        self._failure: Failure | None = None
        self._failing_since_ns = 0
        self._open_now = False
        self._tried: Counter[Rung] = Counter()
        self._laps = 0
        self._rests_until_ns: dict[Failure, int] = {}
        """Which kinds of failure are given up until when."""
        self._took_s = self._unanswered_s = 0.0
        self._settled_ns: int | None = None

    @property
    def patient(self) -> bool:
        """Whether the device is to be given all the time that an unknown one gets.

        After a reset it begins from cold; and once a lap was in vain, haste has not helped.
        """
        return self._laps > 0 or self.rung in RESETS

    @property
    def exhausted(self) -> bool:
        """Whether everything was tried in vain since the stream was last well."""
        endless = self._failure is Failure.OTHER and self._tried[Rung.REOPEN] >= ENDLESS_TRIES
        return self._laps > 0 or endless

    def failed(
        self,
        failure: Failure,
        *,
        open_now: bool,
        now_ns: int,
        took_s: float = 0.0,
        unanswered_s: float = 0.0,
    ) -> Step:
        """Choose the next rung, after a failure.

        What failed took `took_s`, of which `unanswered_s` went by without an answer.
        """
        self._end_probation(now_ns)
        self._took_s, self._unanswered_s = took_s, unanswered_s
        if self._first is None:
            self._first = failure
        if failure is not self._failure:
            self._failure, self._failing_since_ns = failure, now_ns
        if self._memory.get(self._first) in self._tried:
            del self._memory[self._first]
        self._open_now = open_now
        return self._choose(failure, self._first, now_ns)

    def choose(self, now_ns: int) -> Step | None:
        """Choose again, after a rung turned out not to be available; None if nothing has failed."""
        if self._failure is None or self._first is None:
            return None
        return self._choose(self._failure, self._first, now_ns)

    def due(self, now_ns: int) -> Rung | None:
        """Return what is due by now: the rung that was chosen, or what is tried meanwhile."""
        if self.step is None:
            return None
        gives_up = self.step.rung is Rung.GIVE_UP
        if self.step.probe is not None and (gives_up or now_ns < self.step.due_ns):
            self.step = Step(self.step.probe, now_ns)
        return self.step.rung

    def ask_for(self, rung: Rung, now_ns: int) -> None:
        """Choose what a person wants."""
        self.step = Step(rung, now_ns)

    def objection(self, rung: Rung, now_ns: int) -> Unavailable | None:
        """Return why a person may not have `rung` now, None if it may be used."""
        wait_s = (self._budgets.free_ns(rung, now_ns) - now_ns) / 1e9
        if wait_s > 0:
            reason = "a reset that did not help is no help when repeated at once"
            return Unavailable(rung, reason, f"try again in {wait_s:.0f} s")
        return self.unavailable.get(rung)

    def began(self, rung: Rung, now_ns: int) -> None:
        """Take note that `rung` is being tried."""
        self.rung = rung
        self.step = None
        self._tried[rung] += 1
        self._began[rung] += 1
        self._budgets = self._budgets.spend(rung, now_ns)

    def surveyed(self, unavailable: Iterable[Unavailable]) -> None:
        """Take note of what cannot be used now; it replaces what was known."""
        self.unavailable = {each.rung: each for each in unavailable}

    def refused(self, unavailable: Unavailable) -> None:
        """Take note that a rung could not be carried out."""
        self.unavailable[unavailable.rung] = unavailable

    def settled(self, now_ns: int) -> None:
        """Take note that the stream has proved itself; whether it lasts is yet to be seen."""
        self.step = None
        self._settled_ns = now_ns

    def changed_by_hand(self) -> None:
        """Forget what helped: the device was plugged in, and no rung did that."""
        self.rung = None
        self.step = None

    def start_over(self) -> None:
        """Begin at the bottom: a person took a hand. What the budget has spent stays spent."""
        self.step = None
        self._forget()

    def progress(self) -> Progress:
        """Return what is told of it."""
        unavailable, began = self.unavailable, self._began
        tries = {rung: began[rung] for rung in _LADDER if rung in began}
        left_out = tuple(unavailable[rung] for rung in _LADDER if rung in unavailable)
        return Progress(self.rung, self.step, tries, left_out)

    def _choose(self, failure: Failure, first: Failure, now_ns: int) -> Step:
        situation = Situation(
            failure=failure,
            open_now=self._open_now,
            tried=dict(self._tried),
            failing_since_ns=self._failing_since_ns,
            laps=self._laps,
            remembered=self._memory.get(first),
            unavailable=dict(self.unavailable),
            budgets=self._budgets,
            rests_until_ns=self._rests_until_ns.get(failure, 0),
            took_s=self._took_s,
            unanswered_s=self._unanswered_s,
        )
        self.step = step = ladder.next_step(situation, now_ns, self._jitter())
        if step.rung is Rung.GIVE_UP and step.due_ns != situation.rests_until_ns:
            self._rests_until_ns[failure] = step.due_ns
            self._laps += 1
            self._tried.clear()
            self._failure = None
        return step

    def _end_probation(self, now_ns: int) -> None:
        settled_ns, self._settled_ns = self._settled_ns, None
        if settled_ns is None or now_ns - settled_ns < PROBATION_S * 1e9:
            return
        if self._first is not None and self.rung is not None:
            self._memory[self._first] = self.rung
        self._forget()

    def _forget(self) -> None:
        self.rung = None
        self._first = self._failure = None
        self._tried.clear()
        self._laps = 0
        self._rests_until_ns.clear()
        self._settled_ns = None
