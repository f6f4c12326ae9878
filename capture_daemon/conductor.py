"""Feeds the lifecycle's table with events and carries out its actions. Main thread only.

It keeps what the table does not: since when, and what was granted. When and how to try again is
retries.py's, what counts as a silence silence.py's, which report is old news sessions.py's. Nothing
here blocks or does I/O: the capture thread is commanded through a queue, and time comes in as an
argument (CLOCK_MONOTONIC nanoseconds).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from capture_daemon import lifecycle
from capture_daemon.commands import CaptureCommands
from capture_daemon.lease import Lease
from capture_daemon.lifecycle import Action, Event, State
from capture_daemon.outage import STOPPED, Outage
from capture_daemon.plan import Plan
from capture_daemon.recovery.rungs import Rung, Unavailable
from capture_daemon.reports import (
    Cause,
    Climbed,
    Failed,
    FrameSeen,
    Opened,
    Report,
    Settled,
    StreamRestarted,
    Surveyed,
    frozen_cause,
    not_answering_cause,
    one_line,
    silence_cause,
)
from capture_daemon.retries import Retries
from capture_daemon.sessions import Sessions
from capture_daemon.silence import SilenceWatch
from capture_daemon.sources.base import ADOPTED, Granted

_DEVICES = frozenset({"v4l2", "auto"})
"""The kinds of source that may be a USB camera."""
_BLOCKED_S = 2.0
"""A source that has not returned for this long is named as not answering."""


class Conductor:
    """The one camera's capture, as the main thread sees it."""

    def __init__(
        self,
        *,
        capture: CaptureCommands,
        plan: Plan,
        jitter: Callable[[], float],
        now_ns: int,
        outage: Outage | None = None,
    ) -> None:
        self._capture = capture
        self._outage = outage or Outage()
        self.sessions = Sessions(capture=capture, now_ns=now_ns)
        self.retries = Retries(capture=self.sessions, outage=self._outage, jitter=jitter)
        self._watch = SilenceWatch(capture)
        self.plan = plan
        self.kind = plan.spec.kind
        """The source's kind; what `auto` means is known once it is open."""
        self.state = State.STOPPED
        self.since_ns = now_ns
        self.granted: Granted | None = None
        self._lease: Lease | None = None

    # -- commands ------------------------------------------------------------------------

    def start(self, now_ns: int) -> None:
        """Capture, if it does not already; ends the wait for a retry."""
        if not self._hasten(now_ns):
            self._handle(Event.START, now_ns)

    def stop(self, now_ns: int) -> None:
        """Let go of the camera until `start`."""
        self._handle(Event.STOP, now_ns)

    def restart(self, now_ns: int) -> bool:
        """Close and open again; False if it was joined with a restart that is under way."""
        if self._hasten(now_ns):
            return False
        if self.state in lifecycle.OPEN_STATES and now_ns < self.sessions.again_ns:
            return False
        joined = self.state is State.OPENING
        self._handle(Event.RESTART, now_ns)
        return not joined

    def configure(self, plan: Plan, now_ns: int) -> bool:
        """Take over a new plan; False if it is the present one, and nothing happens."""
        if plan.wants_the_same(self.plan):
            return False
        self.plan = plan
        self.kind = plan.spec.kind
        self._watch.forget()
        self._handle(Event.CONFIGURED, now_ns)
        return True

    def reset(self, rung: Rung, now_ns: int) -> Unavailable | None:
        """Climb a device-level rung for a person; return why not, None if it is under way."""
        if self.state in (State.STOPPED, State.LENT):
            return Unavailable(rung, "the camera is not captured now", "`framebus ctl start` first")
        if objection := self.retries.objection(rung, now_ns):
            return objection
        self._outage.cause = Cause("reset", f"{rung.value} was asked for")
        self.retries.climber.wish(rung, now_ns)
        self._handle(Event.RESET, now_ns)
        return None

    @property
    def device(self) -> str:
        """The node of the camera that is open, or lent; empty if there is none."""
        if self.state is State.LENT and self._lease is not None:
            return self._lease.device
        if self.kind != "v4l2" or self.granted is None:
            return ""
        return self.granted.device.split(" ", 1)[0]

    def lend(self, lease: Lease, now_ns: int) -> None:
        """Let go of the device until the lease is over, or lend it anew."""
        self._lease = lease
        self._handle(Event.LEND, now_ns)

    def device_added(self, now_ns: int) -> None:
        """Try at once, if this waits for a device: one appeared, whichever it is."""
        if self.kind not in _DEVICES:
            return
        if self.state in lifecycle.WAITING_STATES and not self.retries.device_added():
            return
        self._handle(Event.DEVICE_ADDED, now_ns)

    # -- what the capture thread and the clock say ---------------------------------------------

    def on_report(self, report: Report, now_ns: int) -> None:
        """Take in one report of the capture thread; those of earlier sessions are old news."""
        if not self.sessions.is_news(report):
            return
        match report:
            case Surveyed(unavailable=unavailable):
                self.retries.climber.surveyed(unavailable)
            case Climbed() if self.state is State.BACKOFF:
                event = self.retries.climbed_event(report, now_ns)
                if event is not None:
                    self._handle(event, now_ns)
            case _ if self.state in lifecycle.OPEN_STATES:
                self._on_open_report(report, now_ns)

    def tick(self, now_ns: int) -> None:
        """Notice what is due by now: a rung, or a silence that has lasted too long."""
        event = self.retries.due_event(now_ns)
        if event is not None:
            self._handle(event, now_ns)
            return
        silent_ns = self._silence_due_ns()
        if silent_ns is None or now_ns < silent_ns or self._watch.is_late(silent_ns, now_ns):
            return
        rung = self._failed(self._blame_silence(), now_ns, open_now=True)
        restart = rung is Rung.RESTART_STREAM
        self._handle(Event.SILENCE if restart else Event.SILENCE_AGAIN, now_ns)

    def deadline_ns(self) -> int | None:
        """Return when `tick` must be called next; None if nothing is due."""
        return self.retries.due_ns if self.retries.due_ns is not None else self._silence_due_ns()

    def cause(self, now_ns: int) -> Cause | None:
        """Return why there are no frames; None while there are."""
        doing, blocked_s = self._capture.blocked(now_ns)
        if blocked_s > _BLOCKED_S and self.state is not State.STREAMING:
            return not_answering_cause(self.plan.spec.text, doing, blocked_s)
        if self.state in (State.STOPPED, State.LENT) and self.sessions.closing:
            return Cause("closing", "capture is stopped; the source is being closed")
        return self._outage.cause or self._frozen(now_ns)

    def incident(self) -> str | None:
        """Return the id of the incident that goes on now, None while there is none."""
        incident = self._outage.incident
        return None if incident is None else incident.id

    # -- inside ----------------------------------------------------------------------------

    def _hasten(self, now_ns: int) -> bool:
        """Bring a retry forward that must not be made at once, right after the last one."""
        if self.retries.due_ns is None or now_ns >= self.sessions.again_ns:
            return False
        self._outage.forget()
        self.retries.due_ns = min(self.retries.due_ns, self.sessions.again_ns)
        return True

    def _on_open_report(self, report: Report, now_ns: int) -> None:
        match report:
            case Failed(cause=cause, permanent=True):
                self._outage.blame(cause)
                self._handle(Event.PERMANENT_FAILURE, now_ns)
            case Failed(cause=cause):
                self._outage.blame(cause)
                self._failed(cause, now_ns, open_now=False)
                self._handle(Event.FAILURE, now_ns)
            case Opened(granted=granted, kind=kind):
                self.granted = replace(granted, device=one_line(granted.device))
                self.kind = kind
                self._watch.expect(now_ns, telling=ADOPTED not in granted.details)
                self._handle(Event.OPENED, now_ns)
            case StreamRestarted():
                if self.state is State.STREAMING:  # it came back just before the restart
                    self._blame_silence()
                self._watch.expect(now_ns)
                self._handle(Event.STREAM_RESTARTED, now_ns)
            case FrameSeen(width=width, height=height):
                if self.granted:
                    self.granted = replace(self.granted, width=width, height=height)
                self._handle(Event.FRAME, now_ns)
            case Settled():
                self._watch.settled()
                self.retries.climber.settled(now_ns)
                self._outage.end(self._source(), self.granted, self.since_ns)
                self._handle(Event.SETTLED, now_ns)
            case _:
                return

    def _failed(self, cause: Cause, now_ns: int, *, open_now: bool) -> Rung:
        """Let the ladder choose what is next."""
        step = self.retries.climber.failed(
            cause.code, on_device=self.kind in _DEVICES, open_now=open_now, now_ns=now_ns
        )
        return step.rung

    def _silence_due_ns(self) -> int | None:
        # Networks and programs take their time, whatever they took before.
        patient = self.retries.climber.patient or self.kind not in _DEVICES
        return self._watch.due_ns(self.granted, patient=patient)

    def _frozen(self, now_ns: int) -> Cause | None:
        """Return what there is to say of a picture that has not changed for too long."""
        watched = self.kind == "v4l2" and self.state is State.STREAMING
        if not watched or not self._watch.is_still(self.plan.frozen_after_s, now_ns):
            return None
        return frozen_cause(self.plan.spec.text)

    def _source(self) -> str:
        """Name the source for the log: what was asked for, and what `auto` turned out to be."""
        text = self.plan.spec.text
        if self.granted is None or self.kind == self.plan.spec.kind:
            return text
        return f"{text} ({self.granted.device})"

    def _blame_silence(self) -> Cause:
        cause = silence_cause(self.plan.spec.text, self._capture.rejected_since())
        self._outage.blame(cause)
        return cause

    def _handle(self, event: Event, now_ns: int) -> None:
        before = self.state
        state, actions = lifecycle.step(before, event)
        if state is not before:
            self._enter(state, now_ns)
        for action in actions:
            self._carry_out(action, now_ns)

    def _enter(self, state: State, now_ns: int) -> None:
        if self.state is State.STREAMING:
            self._outage.begin(self._capture.arrived_ns())
        if self.state in lifecycle.WAITING_STATES:
            self.retries.end_wait()
        self.state = state
        self.since_ns = now_ns
        if state not in lifecycle.OPEN_STATES:
            self._watch.pause()
            self.granted = None
        match state:
            case State.STOPPED:
                self._outage.stop(STOPPED)
            case State.STREAMING:
                self._outage.cause = None
                self._watch.streaming(now_ns)
        self._outage.entered(state.value)

    def _carry_out(self, action: Action, now_ns: int) -> None:
        match action:
            case Action.OPEN:
                self._watch.pause()
                self.granted = None
                if not self.retries.failures:
                    self._outage.cause = Cause("opening", f"{self.plan.spec.text} is being opened")
                self.sessions.open(self.plan, now_ns)
            case Action.CLOSE:
                self.sessions.close()
            case Action.AWAIT_RETURN if self._lease is not None:
                self._outage.stop(self._lease.cause)
                self.retries.due_ns = self._lease.until_ns
            case Action.RESTART_STREAM:
                self._watch.pause()
                self.retries.began(Rung.RESTART_STREAM, now_ns)
                self.sessions.restart_stream()
            case _:
                if action is Action.START_OVER:
                    self.plan = self.plan.anew()
                self.retries.carry_out(action, now_ns)
