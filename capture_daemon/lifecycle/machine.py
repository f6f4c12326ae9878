"""Where the capture is, and what the lifecycle's table wants done about it. Main thread only.

The controller says which event has happened; this looks it up, enters the state and carries out the
actions, each by whoever knows how: the capture thread (through sessions.py), retries.py, outage.py.
Nothing here blocks, and time comes in (CLOCK_MONOTONIC nanoseconds).
"""

from __future__ import annotations

from collections.abc import Callable

from framebus.contract.causes import Cause
from framebus.contract.words import Rung, State

from capture_daemon.capturing.commands import CaptureCommands
from capture_daemon.lifecycle import table
from capture_daemon.lifecycle.current import CurrentSource
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.lifecycle.outage import STOPPED, Outage
from capture_daemon.lifecycle.retries import Retries
from capture_daemon.lifecycle.sessions import Sessions
from capture_daemon.lifecycle.silence import SilenceWatch
from capture_daemon.lifecycle.table import Action, Event
from capture_daemon.settings.capture_request import CaptureRequest


class Machine:
    """The lifecycle's table at work, for one source."""

    def __init__(
        self,
        *,
        capture: CaptureCommands,
        request: CaptureRequest,
        jitter: Callable[[], float],
        now_ns: int,
        outage: Outage,
    ) -> None:
        self.capture = capture
        self.outage = outage
        self.sessions = Sessions(capture=capture, now_ns=now_ns)
        self.retries = Retries(capture=self.sessions, outage=outage, jitter=jitter)
        self.watch = SilenceWatch(capture)
        self.source = CurrentSource(request)
        self.state = State.STOPPED
        self.since_ns = now_ns
        self.lease: Lease | None = None
        """To whom the device is lent, or was lent last."""

    def handle(self, event: Event, now_ns: int) -> None:
        """Do what the table says. Raises IllegalEvent, and then has changed nothing."""
        before = self.state
        state, actions = table.step(before, event)
        if state is not before:
            self._enter(state, now_ns)
        for action in actions:
            self._carry_out(action, now_ns)

    def _enter(self, state: State, now_ns: int) -> None:
        if self.state is State.STREAMING:
            self.outage.begin(self.capture.arrived_ns())
        if self.state in table.WAITING_STATES and state is not State.BACKOFF:
            self.retries.end_wait()  # in BACKOFF the rung that a person chose is carried out
        self.state = state
        self.since_ns = now_ns
        if state not in table.OPEN_STATES:
            self.watch.pause()
            self.source.closed()
        match state:
            case State.STOPPED:
                self.outage.stop(STOPPED)
            case State.STREAMING:
                self.outage.cause = None
                self.watch.streaming(now_ns)
        self.outage.entered(state.value)

    def _carry_out(self, action: Action, now_ns: int) -> None:
        match action:
            case Action.OPEN:
                self.watch.pause()
                self.source.closed()
                request = self.source.request
                if not self.retries.failures:
                    self.outage.cause = Cause("opening", f"{request.spec.public} is being opened")
                self.retries.asks(now_ns)
                self.sessions.open(request, now_ns)
            case Action.CLOSE:
                self.sessions.close()
            case Action.AWAIT_RETURN if self.lease is not None:
                self.outage.stop(self.lease.cause)
                self.retries.due_ns = self.lease.until_ns
            case Action.RESTART_STREAM:
                self.watch.pause()
                self.retries.began(Rung.RESTART_STREAM, now_ns)
                self.sessions.restart_stream()
            case _:
                if action is Action.START_OVER:
                    self.source.begin_anew()
                self.retries.carry_out(action, now_ns)
