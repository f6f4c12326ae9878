"""Feeds the lifecycle's table with events and carries out its actions. Main thread only.

It keeps what the table does not: since when, why, how many failures, and when something is due.
Nothing here blocks or does I/O: the capture thread is commanded through a queue, and time comes in
as an argument (CLOCK_MONOTONIC nanoseconds).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from capture_daemon import lifecycle
from capture_daemon.commands import CaptureCommands
from capture_daemon.lifecycle import Action, Event, State
from capture_daemon.outage import STOPPED, Outage
from capture_daemon.plan import Plan
from capture_daemon.reports import (
    Cause,
    Closed,
    Failed,
    FrameSeen,
    Opened,
    Report,
    Settled,
    StreamRestarted,
    one_line,
    silence_cause,
)
from capture_daemon.sources.base import NOTHING_GRANTED, Granted

COALESCE_S = 1.0
"""Restarts that come this soon after an open are the same restart: reopening a camera over and
over can make it drop off its bus."""

_LATE_S = 0.2
"""A look at the clock that comes this much after its time says more about us than the camera."""
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
        self._jitter = jitter
        self.plan = plan
        self.kind = plan.spec.kind
        """The source's kind; what `auto` means is known once it is open."""
        self.state = State.STOPPED
        self.since_ns = now_ns
        self._outage = outage or Outage()
        self.failures = 0
        """Failures in a row since the stream last proved itself."""
        self.granted: Granted | None = None
        self.retry_ns: int | None = None
        self.session = 0
        """Counts openings and closings: what an earlier session reports is old news."""
        self._opened_ns = now_ns - int(COALESCE_S * 1e9)
        self._silent_from_ns: int | None = None
        """The moment from which silence counts; None while frames cannot be expected."""
        self._settled = False
        self._closing = 0
        """The session number of a close that is not done yet, 0 if none."""

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
        if self.state in lifecycle.OPEN_STATES and self._just_opened(now_ns):
            return False
        joined = self.state is State.OPENING
        self._handle(Event.RESTART, now_ns)
        return not joined

    def configure(self, plan: Plan, now_ns: int) -> bool:
        """Take over a new plan; False if it is the present one, and nothing happens."""
        if plan == self.plan:
            return False
        self.plan = plan
        self.kind = plan.spec.kind
        self._handle(Event.CONFIGURED, now_ns)
        return True

    def device_added(self, now_ns: int) -> None:
        """Try at once, if this waits for something: a device appeared."""
        self._handle(Event.DEVICE_ADDED, now_ns)

    # -- what the capture thread and the clock say ---------------------------------------------

    def on_report(self, report: Report, now_ns: int) -> None:
        """Take in one report of the capture thread; those of earlier sessions are old news."""
        if isinstance(report, Closed) and report.session == self._closing:
            self._closing = 0
        if report.session != self.session or self.state not in lifecycle.OPEN_STATES:
            return
        match report:
            case Failed(cause=cause, permanent=permanent):
                self._outage.blame(cause)
                self._handle(Event.PERMANENT_FAILURE if permanent else Event.FAILURE, now_ns)
            case Opened(granted=granted, kind=kind):
                self.granted = replace(granted, device=one_line(granted.device))
                self.kind = kind
                self._expect_frames(now_ns)
                self._closing = 0
                self._handle(Event.OPENED, now_ns)
            case StreamRestarted():
                if self.state is State.STREAMING:  # it came back just before the restart
                    self._blame_silence()
                self._expect_frames(now_ns)
                self._handle(Event.STREAM_RESTARTED, now_ns)
            case FrameSeen(width=width, height=height):
                if self.granted:
                    self.granted = replace(self.granted, width=width, height=height)
                self._handle(Event.FRAME, now_ns)
            case Settled():
                self._settled = True
                self._outage.end(self._source(), self.granted, self.since_ns)
                self._handle(Event.SETTLED, now_ns)
            case _:
                return

    def tick(self, now_ns: int) -> None:
        """Notice what is due by now: a retry, or a silence that has lasted too long."""
        if self.retry_ns is not None and now_ns >= self.retry_ns:
            self._handle(Event.RETRY_DUE, now_ns)
            return
        silent_ns = self._silence_due_ns()
        if silent_ns is None or now_ns < silent_ns:
            return
        if now_ns - silent_ns > _LATE_S * 1e9:
            # It is we who did not run (a loaded machine, a suspended one): the capture thread
            # gets the same time to catch up before its camera is blamed.
            self._silent_from_ns = now_ns
        else:
            self._on_silence(now_ns)

    def deadline_ns(self) -> int | None:
        """Return when `tick` must be called next; None if nothing is due."""
        return self.retry_ns if self.retry_ns is not None else self._silence_due_ns()

    def cause(self, now_ns: int) -> Cause | None:
        """Return why there are no frames; None while there are."""
        doing, blocked_s = self._capture.blocked(now_ns)
        if blocked_s > _BLOCKED_S and self.state is not State.STREAMING:
            return Cause(
                "not-answering",
                f"{self.plan.spec.text} has not answered for {blocked_s:.0f} s ({doing})",
                "wait; if it stays so, plug the camera out and in",
            )
        if self.state is State.STOPPED and self._closing:
            return Cause("closing", "capture is stopped; the source is being closed")
        return self._outage.cause

    def incident(self) -> str | None:
        """Return the id of the incident that goes on now, None while there is none."""
        incident = self._outage.incident
        return None if incident is None else incident.id

    # -- inside ----------------------------------------------------------------------------

    def _just_opened(self, now_ns: int) -> bool:
        return now_ns - self._opened_ns < COALESCE_S * 1e9

    def _hasten(self, now_ns: int) -> bool:
        """Bring a retry forward that must not be made at once, right after the last one."""
        if self.retry_ns is None or not self._just_opened(now_ns):
            return False
        self._outage.forget()
        self.retry_ns = min(self.retry_ns, self._opened_ns + int(COALESCE_S * 1e9))
        return True

    def _expect_frames(self, now_ns: int) -> None:
        self._silent_from_ns = now_ns
        self._settled = False

    def _silence_due_ns(self) -> int | None:
        if self._silent_from_ns is None:
            return None
        if self.state is not State.STREAMING:
            return self._silent_from_ns + int(lifecycle.SLOW_START_S * 1e9)
        granted = self.granted or NOTHING_GRANTED
        limit_s = lifecycle.silence_limit_s(granted.fps, self._capture.rate(), granted.jitter_s)
        newest_ns = max(self._capture.arrived_ns(), self._silent_from_ns)
        return newest_ns + int(limit_s * 1e9)

    def _on_silence(self, now_ns: int) -> None:
        self._blame_silence()
        streaming = self.state is State.STREAMING
        again = streaming and not self._settled
        self._handle(Event.SILENCE_AGAIN if again else Event.SILENCE, now_ns)

    def _source(self) -> str:
        """Name the source for the log: what was asked for, and what `auto` turned out to be."""
        text = self.plan.spec.text
        if self.granted is None or self.kind == self.plan.spec.kind:
            return text
        return f"{text} ({self.granted.device})"

    def _blame_silence(self) -> None:
        self._outage.blame(silence_cause(self.plan.spec.text, self._capture.rejected_since()))

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
        self.state = state
        self.since_ns = now_ns
        if state not in lifecycle.WAITING_STATES:
            self.retry_ns = None
        if state not in lifecycle.OPEN_STATES:
            self._silent_from_ns = None
            self.granted = None
        match state:
            case State.STOPPED:
                self._outage.stop(STOPPED)
            case State.STREAMING:
                self._outage.cause = None
                self._silent_from_ns = now_ns
        self._outage.entered(state.value)

    def _carry_out(self, action: Action, now_ns: int) -> None:
        match action:
            case Action.OPEN:
                self.session += 1
                self._opened_ns = now_ns
                self._silent_from_ns = None
                self._settled = False
                self.granted = None
                if self.failures:
                    self._outage.tried("reopen", now_ns)
                else:
                    self._outage.cause = Cause("opening", f"{self.plan.spec.text} is being opened")
                self._capture.open(self.session, self.plan)
            case Action.CLOSE:
                self.session += 1
                self._closing = self.session
                self._capture.close(self.session)
            case Action.RESTART_STREAM:
                self._silent_from_ns = None
                self._outage.tried("restart-stream", now_ns)
                self._capture.restart_stream(self.session)
            case Action.RETRY_SOON:
                self.failures += 1
                self._retry_after(lifecycle.retry_delay_s(self.failures, self._jitter()), now_ns)
            case Action.RETRY_SLOWLY:
                self.failures += 1
                self._retry_after(
                    lifecycle.slow_retry_delay_s(self.failures, self._jitter()), now_ns
                )
            case Action.FORGET_FAILURES:
                self.failures = 0
                self._outage.forget()

    def _retry_after(self, delay_s: float, now_ns: int) -> None:
        self.retry_ns = now_ns + int(delay_s * 1e9)
