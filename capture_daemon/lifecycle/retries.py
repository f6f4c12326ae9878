"""From a failure to the next try: what was chosen, when it is due, what is under way.

Main thread only; nothing here blocks. What to choose is the ladder's (recovery/), and which event
of the lifecycle it makes is told to the controller.
"""

from __future__ import annotations

from collections.abc import Callable

from framebus.contract.words import DEVICE_LEVEL, Rung

from capture_daemon.capturing.reports import RungDone
from capture_daemon.lifecycle import guards
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.lifecycle.outage import Outage
from capture_daemon.lifecycle.sessions import Sessions
from capture_daemon.lifecycle.table import Event
from capture_daemon.recovery.escalation import RecoveryEscalation
from capture_daemon.recovery.failures import Failure
from capture_daemon.recovery.rungs import NEED_CLOSED_DEVICE, Result, Unavailable


class Retries:
    """When to try again, and how."""

    def __init__(self, *, sessions: Sessions, outage: Outage, jitter: Callable[[], float]) -> None:
        self.escalation = RecoveryEscalation(jitter=jitter)
        self.due_ns: int | None = None
        """When the next rung is due; None while none waits."""
        self.failures = 0
        """Failures in a row since the stream last proved itself."""
        self.under_way: Rung | None = None
        """The rung that the capture thread is carrying out."""
        self._sessions = sessions
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
        rung = self.escalation.due(now_ns)
        if rung in NEED_CLOSED_DEVICE:
            return Event.RUNG_DUE
        if rung is not None:
            self.began(Rung.REOPEN, now_ns)  # giving up ends in opening anew, too
        return Event.RETRY_DUE

    def rung_done_event(self, report: RungDone, now_ns: int) -> Event | None:
        """Take in what came of a rung; return what that means."""
        outcome = report.outcome
        if report.rung is Rung.GIVE_UP:  # only a holder that lets go ends that wait
            return Event.RUNG_DONE if outcome.result is Result.DONE else None
        self.under_way = None
        self._outage.tried(report.rung.value, now_ns, outcome.note)
        line = f"{report.rung.value}: {outcome.note}"
        if report.rung is not Rung.WAIT_FOR_HOLDER and line != self._logged:
            self._logged = line  # what comes over and over is logged once
            self._outage.log.info("%s", line)
        if outcome.result is Result.UNAVAILABLE:
            self.escalation.refused(Unavailable(report.rung, outcome.note, outcome.remedy))
            if self.escalation.choose(now_ns):
                return Event.RUNG_UNAVAILABLE
        return Event.RUNG_DONE

    def objection(self, rung: Rung, now_ns: int) -> Unavailable | None:
        """Return why a person may not have `rung` now, None if it may be used."""
        if self.under_way:
            return Unavailable(rung, f"{self.under_way.value} is under way", "wait for its end")
        return self.escalation.objection(rung, now_ns)

    def began(self, rung: Rung, now_ns: int) -> None:
        """A rung is being tried that is the capture thread's ordinary work."""
        self.asks(now_ns)
        self.escalation.began(rung, now_ns)
        self._outage.tried(rung.value, now_ns)

    def wait_instead(self, now_ns: int) -> bool:
        """Tell whether a retry that is wanted now has to wait; it is brought forward then.

        A rung that waits for its own time, within the budget of resets, is not brought forward.
        """
        again_ns = self._sessions.again_ns
        if self.due_ns is None or not guards.must_wait(self.due_ns, again_ns, now_ns):
            return False
        self._outage.forget()
        if self.due_ns > again_ns:
            self.due_ns = again_ns
            if self.escalation.step is not None and self.escalation.step.rung in NEED_CLOSED_DEVICE:
                self.escalation.step = None
        return True

    def await_return(self, lease: Lease | None, now_ns: int) -> None:
        """Have the device opened again when its lease is over. Raises ValueError without one."""
        if lease is None:
            raise ValueError("nothing was lent")
        self._outage.lend(lease, now_ns)
        self.due_ns = lease.until_ns

    def end_wait(self) -> None:
        """The wait is over: something is opened, or nothing is wanted."""
        self.due_ns = None
        self.under_way = None
        self.escalation.step = None

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
        step = self.escalation.failed(
            failure,
            open_now=open_now,
            now_ns=now_ns,
            took_s=0.0 if began_ns is None else (now_ns - began_ns) / 1e9,
            unanswered_s=0.0 if asked_ns is None else (now_ns - asked_ns) / 1e9,
        )
        return step.rung

    def start_over(self) -> None:
        """A person took a hand: the ladder begins at its bottom."""
        self.escalation.start_over()
        self.forget()

    def forget(self) -> None:
        """Count failures from 0."""
        self.failures = 0
        self._began_ns = self._asked_ns = None
        self._logged = ""
        self._outage.forget()

    def run_rung(self, now_ns: int) -> None:
        """Have the rung carried out that was chosen. Raises ValueError if none was."""
        step = self.escalation.step
        if step is None:
            raise ValueError("no rung was chosen")
        self.due_ns = None
        self.under_way = step.rung
        self._began_ns, self._asked_ns = now_ns, now_ns if step.rung in DEVICE_LEVEL else None
        self.escalation.began(step.rung, now_ns)
        for each in step.passed:
            self._outage.log.debug("%s was passed over: %s", each.rung.value, each.reason)
        self._sessions.run_rung(step.rung, step.limit_s)

    def await_rung(self) -> None:
        """Have the rung due at its time that was chosen. Raises ValueError if none was."""
        step = self.escalation.step
        if step is None:
            raise ValueError("no rung was chosen")
        self.due_ns = step.first_ns
        if self.escalation.exhausted:
            self._outage.give_up()
        if step.rung is Rung.GIVE_UP and step.limit_s:
            # A holder that lets go meanwhile ends the wait.
            self._sessions.run_rung(step.rung, step.limit_s)
