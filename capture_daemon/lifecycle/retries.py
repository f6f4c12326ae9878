"""The conductor's other half: everything between a failure and the next open. Main thread only.

It keeps the climber's choice, the time when it is due, and what the capture thread is climbing; and
it tells the conductor which event of the lifecycle that makes. Nothing here blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from framebus.contract.words import DEVICE_LEVEL, Rung

from capture_daemon.capturing.reports import Climbed
from capture_daemon.lifecycle.outage import Outage
from capture_daemon.lifecycle.table import Action, Event
from capture_daemon.recovery.climber import Climber
from capture_daemon.recovery.failures import Failure
from capture_daemon.recovery.rungs import CLIMBED, Result, Unavailable


class RungCommands(Protocol):
    """What is needed of sessions.Sessions; it returns at once."""

    def climb(self, rung: Rung, limit_s: float) -> None:
        """Carry out a rung with the device closed; ends in Climbed."""


class Retries:
    """When to try again, and how."""

    def __init__(
        self, *, capture: RungCommands, outage: Outage, jitter: Callable[[], float]
    ) -> None:
        self.climber = Climber(jitter=jitter)
        self.due_ns: int | None = None
        """When the next rung is due; None while none waits."""
        self.failures = 0
        """Failures in a row since the stream last proved itself."""
        self.climbing: Rung | None = None
        """The rung that the capture thread is carrying out."""
        self._capture = capture
        self._outage = outage
        self._began_ns: int | None = None
        """When what is being tried began."""
        self._asked_ns: int | None = None
        """Since when the device has not answered it."""
        self._logged = ""

    def due_event(self, now_ns: int) -> Event | None:
        """Return what is due by now, None if nothing is."""
        if self.due_ns is None or now_ns < self.due_ns:
            return None
        rung = self.climber.due(now_ns)
        if rung in CLIMBED:
            return Event.CLIMB_DUE
        if rung is not None:
            self.began(Rung.REOPEN, now_ns)  # giving up ends in opening anew, too
        return Event.RETRY_DUE

    def climbed_event(self, report: Climbed, now_ns: int) -> Event | None:
        """Take in what came of a rung; return what that means."""
        outcome = report.outcome
        if report.rung is Rung.GIVE_UP:  # only a holder that lets go ends that wait
            return Event.CLIMBED if outcome.result is Result.DONE else None
        self.climbing = None
        self._outage.tried(report.rung.value, now_ns, outcome.note)
        self._log(report.rung, f"{report.rung.value}: {outcome.note}")
        if outcome.result is Result.UNAVAILABLE:
            self.climber.refused(Unavailable(report.rung, outcome.note, outcome.remedy))
            if self.climber.choose(now_ns):
                return Event.NOT_CLIMBED
        return Event.CLIMBED

    def device_added(self) -> bool:
        """Tell whether a device that appeared during the wait may end it."""
        if self.climbing in DEVICE_LEVEL:
            return False  # our own doing; the rung's end is what opens it
        self.climber.changed_by_hand()
        return True

    def objection(self, rung: Rung, now_ns: int) -> Unavailable | None:
        """Return why a person may not have `rung` now, None if it may be used."""
        if self.climbing:
            return Unavailable(rung, f"{self.climbing.value} is under way", "wait for its end")
        return self.climber.objection(rung, now_ns)

    def began(self, rung: Rung, now_ns: int) -> None:
        """A rung is being tried that is the capture thread's ordinary work."""
        self.asks(now_ns)
        self.climber.began(rung, now_ns)
        self._outage.tried(rung.value, now_ns)

    def hasten(self, at_ns: int) -> None:
        """Open anew at that time, unless something is due before it.

        A rung that waits for its own time, within the budget of resets, is not brought forward.
        """
        if self.due_ns is None or self.due_ns <= at_ns:
            return
        self.due_ns = at_ns
        if self.climber.step is not None and self.climber.step.rung in CLIMBED:
            self.climber.step = None

    def end_wait(self) -> None:
        """The wait is over: something is opened, or nothing is wanted."""
        self.due_ns = None
        self.climbing = None
        self.climber.step = None

    def carry_out(self, action: Action, now_ns: int) -> None:
        """Carry out one of the lifecycle's actions that are about trying again."""
        match action:
            case Action.CLIMB:
                self._climb(now_ns)
            case Action.COUNT_FAILURE:
                self.failures += 1
            case Action.AWAIT_RUNG:
                self._await_rung()
            case Action.START_OVER:
                self.climber.start_over()
                self._forget()
            case Action.FORGET_FAILURES:
                self._forget()
            case _:
                raise ValueError(f"{action} is the conductor's")

    def asks(self, now_ns: int) -> None:
        """Something is asked of the device: alone, or as the end of a rung."""
        self._began_ns = now_ns if self._began_ns is None else self._began_ns
        self._asked_ns = now_ns if self._asked_ns is None else self._asked_ns

    def answered(self) -> None:
        """The device did what it was asked."""
        self._asked_ns = None

    def failed(self, failure: Failure, now_ns: int, *, open_now: bool) -> Rung:
        """Let the ladder choose what is next."""
        began_ns, self._began_ns = self._began_ns, None
        asked_ns, self._asked_ns = self._asked_ns, None
        step = self.climber.failed(
            failure,
            open_now=open_now,
            now_ns=now_ns,
            took_s=0.0 if began_ns is None else (now_ns - began_ns) / 1e9,
            unanswered_s=0.0 if asked_ns is None else (now_ns - asked_ns) / 1e9,
        )
        return step.rung

    def _log(self, rung: Rung, line: str) -> None:
        """Log what was done, but what comes over and over only once."""
        if rung is Rung.WAIT_FOR_HOLDER or line == self._logged:
            return
        self._logged = line
        self._outage.log.info("%s", line)

    def _forget(self) -> None:
        self.failures = 0
        self._began_ns = self._asked_ns = None
        self._logged = ""
        self._outage.forget()

    def _climb(self, now_ns: int) -> None:
        step = self.climber.step
        if step is None:
            raise ValueError("no rung was chosen")
        self.due_ns = None
        self.climbing = step.rung
        self._began_ns, self._asked_ns = now_ns, now_ns if step.rung in DEVICE_LEVEL else None
        self.climber.began(step.rung, now_ns)
        for each in step.passed:
            self._outage.log.debug("%s was passed over: %s", each.rung.value, each.reason)
        self._capture.climb(step.rung, step.limit_s)

    def _await_rung(self) -> None:
        step = self.climber.step
        if step is None:
            raise ValueError("no rung was chosen")
        self.due_ns = step.first_ns
        if self.climber.exhausted:
            self._outage.given_up = True
        if step.rung is Rung.GIVE_UP and step.limit_s:
            # A holder that lets go meanwhile ends the wait.
            self._capture.climb(step.rung, step.limit_s)
