"""Turns what people want, what the capture thread says and what time it is into the lifecycle's
events. Main thread only.

What an event leads to is machine.py's; when and how to try again retries.py's, what counts as a
silence silence.py's, which report is old news sessions.py's. Nothing here blocks or does I/O, and
time comes in as an argument (CLOCK_MONOTONIC nanoseconds).
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
    frozen_cause,
    not_answering_cause,
    silence_cause,
)
from capture_daemon.lifecycle import table
from capture_daemon.lifecycle.current import CurrentSource
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.lifecycle.machine import Machine
from capture_daemon.lifecycle.outage import Outage
from capture_daemon.lifecycle.retries import Retries
from capture_daemon.lifecycle.sessions import Sessions
from capture_daemon.lifecycle.table import Event
from capture_daemon.recovery.failures import failure_of
from capture_daemon.recovery.rungs import Unavailable
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import ADOPTED

_BLOCKED_S = 2.0
"""A source that has not returned for this long is named as not answering."""
HOPELESS_S = 10.0
"""A source that has not returned for this long is given up: no rung can be tried either. The
longest wait in a driver that is alive is 5 s, a control transfer."""
_NOT_HANGING = frozenset({State.STREAMING, State.STOPPED, State.LENT})
"""Where a source that does not return takes no frames away, or none that are wanted."""


class CaptureController:
    """One source's capture, as the main thread sees it."""

    def __init__(
        self,
        *,
        capture: CaptureCommands,
        request: CaptureRequest,
        jitter: Callable[[], float],
        now_ns: int,
        outage: Outage | None = None,
    ) -> None:
        self.outage = outage or Outage()
        self._machine = machine = Machine(
            capture=capture, request=request, jitter=jitter, now_ns=now_ns, outage=self.outage
        )
        self._capture = capture
        self._watch = machine.watch
        self._handle = machine.handle
        self.sessions: Sessions = machine.sessions
        self.retries: Retries = machine.retries
        self.source: CurrentSource = machine.source

    @property
    def state(self) -> State:
        """Where the capture is."""
        return self._machine.state

    @property
    def since_ns(self) -> int:
        """Since when it is there."""
        return self._machine.since_ns

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
        if self.state in table.OPEN_STATES and now_ns < self.sessions.again_ns:
            return False
        joined = self.state is State.OPENING
        self._handle(Event.RESTART, now_ns)
        return not joined

    def configure(self, request: CaptureRequest, now_ns: int) -> bool:
        """Take over a new request; False if it is the present one, and nothing happens."""
        if request.wants_the_same(self.source.request):
            return False
        self.source.want(request)
        self._watch.forget()
        self._handle(Event.CONFIGURED, now_ns)
        return True

    def reset(self, rung: Rung, now_ns: int) -> Unavailable | None:
        """RunRung a device-level rung for a person; return why not, None if it is under way."""
        if self.state in (State.STOPPED, State.LENT):
            return Unavailable(rung, "the camera is not captured now", "`framebus ctl start` first")
        if objection := self.retries.objection(rung, now_ns):
            return objection
        self.outage.cause = Cause("reset", f"{rung.value} was asked for")
        self.retries.escalation.ask_for(rung, now_ns)
        self._handle(Event.RESET, now_ns)
        return None

    @property
    def device(self) -> str:
        """The node of the camera that is open, or lent; empty if there is none."""
        lease = self._machine.lease
        return lease.device if self.state is State.LENT and lease else self.source.node

    def lend(self, lease: Lease, now_ns: int) -> None:
        """Let go of the device until the lease is over, or lend it anew."""
        self._machine.lease = lease
        self._handle(Event.LEND, now_ns)

    def device_added(self, now_ns: int) -> None:
        """Try at once, if this waits for a device: one appeared, whichever it is."""
        if not self.source.on_device:
            return
        if self.state in table.WAITING_STATES and not self.retries.device_added():
            return
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

    def tick(self, now_ns: int) -> None:
        """Notice what is due by now: a rung, or a silence that has lasted too long."""
        if self.state not in _NOT_HANGING and self._capture.blocked(now_ns)[1] > HOPELESS_S:
            self.outage.given_up = True
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
            return not_answering_cause(self.source.request.spec, doing, blocked_s)
        if self.state in (State.STOPPED, State.LENT) and self.sessions.closing:
            return Cause("closing", "capture is stopped; the source is being closed")
        return self._rejecting(now_ns) or self.outage.cause or self._frozen(now_ns)

    def incident(self) -> str | None:
        """Return the id of the incident that goes on now, None while there is none."""
        incident = self.outage.incident
        return None if incident is None else incident.id

    # -- inside ----------------------------------------------------------------------------

    def _hasten(self, now_ns: int) -> bool:
        """Bring a retry forward that must not be made at once, right after the last one."""
        if self.retries.due_ns is None or now_ns >= self.sessions.again_ns:
            return False
        self.outage.forget()
        self.retries.hasten(self.sessions.again_ns)
        return True

    def _on_open_report(self, report: Report, now_ns: int) -> None:
        match report:
            case Failed(cause=cause, permanent=permanent):
                self.outage.blame(cause)
                self._failed(cause, now_ns, permanent=permanent)
                self._handle(Event.PERMANENT_FAILURE if permanent else Event.FAILURE, now_ns)
            case Opened(granted=granted, kind=kind):
                self.retries.answered()
                self.source.opened(granted, kind)
                self._watch.expect(now_ns, telling=ADOPTED not in granted.details)
                self._handle(Event.OPENED, now_ns)
            case StreamRestarted():
                self.retries.answered()
                if self.state is State.STREAMING:  # it came back just before the restart
                    self._blame_silence()
                self._watch.expect(now_ns)
                self._handle(Event.STREAM_RESTARTED, now_ns)
            case FrameSeen(width=width, height=height):
                self.source.seen(width, height)
                self._handle(Event.FRAME, now_ns)
            case Settled():
                self._watch.settled()
                self.retries.escalation.settled(now_ns)
                self.outage.end(self.source.name, self.source.granted, self.since_ns)
                self._handle(Event.SETTLED, now_ns)
            case _:
                return

    def _failed(
        self, cause: Cause, now_ns: int, *, open_now: bool = False, permanent: bool = False
    ) -> Rung:
        """Let the ladder choose what is next."""
        on_device = self.source.on_device
        failure = failure_of(cause.code, on_device=on_device, permanent=permanent)
        return self.retries.failed(failure, now_ns, open_now=open_now)

    def _silence_due_ns(self) -> int | None:
        # Networks and programs take their time, whatever they took before. A camera that sends
        # pictures which are no good is not beginning from cold.
        patient = self.retries.escalation.patient and not self._capture.rejected_since()
        patient = patient or not self.source.on_device
        return self._watch.due_ns(self.source.granted, patient=patient)

    def _rejecting(self, now_ns: int) -> Cause | None:
        """Return what there is to say of a source that is open and sends what is no frame."""
        rejected = self._capture.rejected_since()
        if self.state is not State.OPENING or not rejected or not self._watch.waits(now_ns):
            return None
        return silence_cause(self.source.request.spec, rejected, self._capture.too_large())

    def _frozen(self, now_ns: int) -> Cause | None:
        """Return what there is to say of a picture that has not changed for too long."""
        watched = self.source.kind == "v4l2" and self.state is State.STREAMING
        if not watched or not self._watch.is_frozen(self.source.request.frozen_after_s, now_ns):
            return None
        return frozen_cause(self.source.request.spec)

    def _blame_silence(self) -> Cause:
        rejected, too_large = self._capture.rejected_since(), self._capture.too_large()
        cause = silence_cause(self.source.request.spec, rejected, too_large)
        self.outage.blame(cause)
        return cause
