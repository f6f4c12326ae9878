"""One source's capture, as the main thread sees it: the lifecycle's table at work.

What people want, what the capture thread says and what time it is become events of table.py, where
guards.py has nothing against it; the state that follows is entered here, and each action carried
out by whoever knows how: the capture thread (through sessions.py), retries.py, outage.py. Nothing
here blocks or does I/O, and time comes in as an argument (CLOCK_MONOTONIC nanoseconds).
"""

from __future__ import annotations

from collections.abc import Callable

from framebus.contract.causes import Cause
from framebus.contract.words import Rung, State

from capture_daemon.capturing.commands import CaptureCommands
from capture_daemon.capturing.reports import (
    Failed,
    FrameSeen,
    Opened,
    Report,
    RungDone,
    Settled,
    StreamRestarted,
    Surveyed,
)
from capture_daemon.lifecycle import guards, table
from capture_daemon.lifecycle.current import CurrentSource
from capture_daemon.lifecycle.demand import Demand
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.lifecycle.observer import StreamObserver
from capture_daemon.lifecycle.outage import Outage
from capture_daemon.lifecycle.retries import Retries
from capture_daemon.lifecycle.sessions import Sessions
from capture_daemon.lifecycle.snapshot import Snapshot
from capture_daemon.lifecycle.table import Action, Event
from capture_daemon.recovery.failures import failure_of
from capture_daemon.recovery.rungs import Unavailable
from capture_daemon.settings.capture_request import CaptureRequest


class CaptureController:
    """The state and the lease are its own; all else is known by one of its parts."""

    def __init__(
        self,
        *,
        capture: CaptureCommands,
        request: CaptureRequest,
        jitter: Callable[[], float],
        now_ns: int,
        outage: Outage | None = None,
        demand: Demand | None = None,
    ) -> None:
        self.outage = outage or Outage()
        self.demand = Demand() if demand is None else demand
        self.sessions = Sessions(capture=capture, now_ns=now_ns)
        self.retries = Retries(sessions=self.sessions, outage=self.outage, jitter=jitter)
        self.source = CurrentSource(request, request.spec.kind)
        self._observer = StreamObserver(capture)
        self._watch = self._observer.silence
        self.state = State.STOPPED
        self._since_ns = now_ns
        self.lease: Lease | None = None
        """To whom the device is lent now."""

    def snapshot(self, now_ns: int) -> Snapshot:
        """Return all that is told of the capture, as it is now."""
        incident = self.outage.incident
        return Snapshot(
            state=self.state,
            since_ns=self._since_ns,
            source=self.source,
            cause=self.cause(now_ns),
            incident=None if incident is None else incident.id,
            attempts=self.retries.failures,
            retry_ns=self.retries.due_ns,
            recovery=self.retries.escalation.progress(),
            lease=self.lease,
            watched=self.demand.watched,
        )

    def cause(self, now_ns: int) -> Cause | None:
        """Return why there are no frames; None while there are."""
        closing = self.sessions.closing
        seen = self._observer.cause(self.state, self.source, now_ns, closing=closing)
        return seen or self.outage.cause

    # -- commands ------------------------------------------------------------------------

    def start(self, now_ns: int) -> None:
        """Capture, if it does not already; ends the wait for a retry."""
        if not self.retries.wait_instead(now_ns):
            self._handle(Event.START, now_ns)

    def stop(self, now_ns: int) -> None:
        """Let go of the camera until `start`."""
        self._handle(Event.STOP, now_ns)

    def restart(self, now_ns: int) -> bool:
        """Close and open again; False if it was joined with a restart that is under way."""
        again_ns, before = self.sessions.again_ns, self.state
        if self.retries.wait_instead(now_ns) or guards.was_just_opened(before, again_ns, now_ns):
            return False
        self._handle(Event.RESTART, now_ns)
        return before is not State.OPENING

    def configure(self, request: CaptureRequest, now_ns: int) -> bool:
        """Take over a new request; False if it is the present one, and nothing happens."""
        if request.wants_the_same(self.source.request):
            return False
        self.source = self.source.wanted(request)
        self._watch.forget()
        self._handle(Event.CONFIGURED, now_ns)
        return True

    def reset(self, rung: Rung, now_ns: int) -> Unavailable | None:
        """Carry out a device-level rung for a person; return why not, None if it is under way."""
        if not guards.may_reset(self.state):
            return Unavailable(rung, "the camera is not captured now", "`framebus ctl start` first")
        if objection := self.retries.objection(rung, now_ns):
            return objection
        self.outage.reset(rung)
        self.retries.escalation.ask_for(rung, now_ns)
        self._handle(Event.RESET, now_ns)
        return None

    def lend(self, lease: Lease, now_ns: int) -> None:
        """Let go of the device until the lease is over; or renew the lease that is out."""
        self.lease = lease
        self._handle(Event.LEND, now_ns)

    def give_back(self, lease: str, now_ns: int) -> bool:
        """End the lease of this id; False if that is not out, and nothing happens."""
        if self.lease is None or self.lease.id != lease:
            return False
        if not self.retries.wait_instead(now_ns):
            self._handle(Event.GIVEN_BACK, now_ns)
        return True

    def wake(self, now_ns: int) -> None:
        """Open the source again, if it is closed because nobody wanted frames."""
        if self.state is State.IDLE:
            self._handle(Event.WAKE, now_ns)

    def begin_at_rest(self, now_ns: int) -> None:
        """Go on resting, as a predecessor did; instead of `start`."""
        self._handle(Event.REST, now_ns)

    def device_added(self, now_ns: int) -> None:
        """Try at once, if this waits for a device: one appeared, whichever it is."""
        if self.state is State.IDLE:
            self.source = self.source.closed()  # the node that it had may be another's now
        if self.source.on_device and guards.ends_wait(self.state, self.retries.under_way):
            if self.state in table.WAITING_STATES:
                self.retries.escalation.changed_by_hand()
            self._handle(Event.DEVICE_ADDED, now_ns)

    # -- what the capture thread and the clock say ---------------------------------------------

    def on_report(self, report: Report, now_ns: int) -> None:
        """Take in one report of the capture thread; those of earlier sessions are old news."""
        if not self.sessions.is_news(report):
            return
        match report:
            case Surveyed(unavailable=unavailable):
                self.retries.escalation.surveyed(unavailable)
            case RungDone() if self.state is State.BACKOFF:
                event = self.retries.rung_done_event(report, now_ns)
                if event is not None:
                    self._handle(event, now_ns)
            case _ if self.state in table.OPEN_STATES:
                self._on_open_report(report, now_ns)

    def _on_open_report(self, report: Report, now_ns: int) -> None:
        match report:
            case Failed(cause=cause, permanent=permanent):
                self._fail(cause, now_ns, permanent=permanent)
                self._handle(Event.PERMANENT_FAILURE if permanent else Event.FAILURE, now_ns)
            case Opened(granted=granted, kind=kind):
                self.retries.answered()
                self.source = self.source.opened(granted, kind)
                self._watch.expect(now_ns, telling=not granted.adopted)
                self._handle(Event.OPENED, now_ns)
            case StreamRestarted():
                self.retries.answered()
                if self.state is State.STREAMING:  # it came back just before the restart
                    self.outage.blame(self._observer.silence_cause(self.source))
                self._watch.expect(now_ns)
                self._handle(Event.STREAM_RESTARTED, now_ns)
            case FrameSeen(width=width, height=height):
                self.source = self.source.seen(width, height)
                self._handle(Event.FRAME, now_ns)
            case Settled():
                self._watch.settled()
                self.retries.escalation.settled(now_ns)
                self.outage.end(self.source.name, self.source.granted, self._since_ns)
                self._handle(Event.SETTLED, now_ns)

    def tick(self, now_ns: int) -> None:
        """Notice what is due by now: a rung, or a silence that has lasted too long."""
        if self._observer.is_hopeless(self.state, now_ns):
            self.outage.give_up()
        self.demand.tick(now_ns)
        event, rest_ns = self.retries.due_event(now_ns), self._rest_due_ns()
        if rest_ns is not None and now_ns >= rest_ns:
            event = Event.REST
        if event is not None:
            self._handle(event, now_ns)
            return
        silent_ns = self._silence_due_ns()
        if silent_ns is None or now_ns < silent_ns or self._watch.is_late(silent_ns, now_ns):
            return
        rung = self._fail(self._observer.silence_cause(self.source), now_ns, open_now=True)
        restart = rung is Rung.RESTART_STREAM
        self._handle(Event.SILENCE if restart else Event.SILENCE_AGAIN, now_ns)

    def deadline_ns(self) -> int | None:
        """Return when `tick` must be called next; None if nothing is due."""
        retry_ns = self.retries.due_ns
        due_ns = retry_ns if retry_ns is not None else self._silence_due_ns()
        each_ns = (due_ns, self._rest_due_ns(), self.demand.deadline_ns())
        return min((each for each in each_ns if each is not None), default=None)

    def _fail(
        self, cause: Cause, now_ns: int, *, open_now: bool = False, permanent: bool = False
    ) -> Rung:
        """Blame the cause, and let the ladder choose what is next."""
        self.outage.blame(cause)
        failure = failure_of(cause.code, on_device=self.source.on_device, permanent=permanent)
        return self.retries.failed(failure, now_ns, open_now=open_now)

    def _rest_due_ns(self) -> int | None:
        if not guards.may_rest(self.state, settled=self._watch.has_settled):
            return None
        return self.demand.rest_ns(self._since_ns, self.sessions.again_ns)

    def _silence_due_ns(self) -> int | None:
        patient = self.retries.escalation.patient
        return self._observer.silence_due_ns(self.source, patient=patient)

    # -- what the table says -------------------------------------------------------------------

    def _handle(self, event: Event, now_ns: int) -> None:
        """Do what the table says. Raises IllegalEvent, and then has changed nothing."""
        state, actions = table.step(self.state, event)
        if state is not self.state:
            self._enter(state, now_ns)
        for action in actions:
            self._carry_out(action, now_ns)

    def _enter(self, state: State, now_ns: int) -> None:
        if self.state is State.STREAMING:
            self.outage.begin(self._observer.arrived_ns())
        if self.state in table.WAITING_STATES and state is not State.BACKOFF:
            self.retries.end_wait()  # in BACKOFF the rung that a person chose is carried out
        self.state = state
        self._since_ns = now_ns
        if state not in table.OPEN_STATES:
            self._watch.pause()
            self.source = self.source.closed(rests=state is State.IDLE)
        if state is State.STREAMING:
            self._watch.streaming(now_ns)
        if state is not State.LENT:
            self.lease = None
        self.outage.entered(state)

    def _carry_out(self, action: Action, now_ns: int) -> None:
        match action:
            case Action.OPEN:
                self._open(now_ns)
            case Action.CLOSE:
                self.sessions.close()
            case Action.RESTART_STREAM:
                self._watch.pause()
                self.retries.began(Rung.RESTART_STREAM, now_ns)
                self.sessions.restart_stream()
            case Action.RUN_RUNG:
                self.retries.run_rung(now_ns)
            case Action.COUNT_FAILURE:
                self.retries.failures += 1
            case Action.AWAIT_RUNG:
                self.retries.await_rung()
            case Action.AWAIT_RETURN:
                self.retries.await_return(self.lease, now_ns)
            case Action.FORGET_FAILURES:
                self.retries.forget()
            case Action.START_OVER:
                self.source = self.source.anew()
                self.retries.start_over()

    def _open(self, now_ns: int) -> None:
        self._watch.pause()
        self.source = self.source.closed()
        request = self.source.request
        if not self.retries.failures:
            self.outage.opening(request.spec.public)
        self.retries.asks(now_ns)
        self.sessions.open(request, now_ns)
