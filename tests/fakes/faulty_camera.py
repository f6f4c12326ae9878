"""A camera with faults that last, and a clock that is only ever set: for controllers in tests.

It stands in for the capture thread. What it reports comes later, as from a real one: an opening
takes a while, a request that nobody answers five seconds.
"""

from __future__ import annotations

import enum
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from framebus.contract.causes import Cause
from framebus.contract.words import DEVICE_LEVEL, Rung, State

from capture_daemon.capturing.commands import Close, Command, Observed, Open, RestartStream, RunRung
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
from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.recovery.rungs import Outcome, Result, Unavailable
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Granted

S = 1_000_000_000
_OPENING_NS = S // 20
_INTERVAL_NS = S // 15
_RUNG_NS = S // 2
_UNANSWERED_NS = 5 * S + S // 10
GRANTED = Granted("MJPG", 320, 240, 15.0, device="/dev/video0")


class Fault(enum.Enum):
    """What can be wrong with it; the value is the code of the error that an opening gives."""

    SILENT = ""
    """It opens, and a stream that was started in this time never gives a frame."""
    REFUSED = "refused-format"
    REFUSES_ITS_DRIVER = "refused-stream"
    """A reset leaves it without its driver, until that is bound after the fault."""
    UNANSWERED = "refused-stream "
    BROKEN = "device-error"
    BUSY = "device-busy"
    AWAY = "device-absent"
    FORBIDDEN = "no-permission"
    NO_BANDWIDTH = "no-bandwidth"
    SHORTAGE = "no-memory"
    PERMANENT = "no-encoder"
    UNREACHABLE = "refused"
    DENIED = "unauthorized"


_PERMANENT = frozenset({Fault.PERMANENT, Fault.DENIED})


@dataclass
class Attempt:
    """Something that would have shown that the fault is gone."""

    at_ns: int
    what: str
    done_ns: int


class World:
    """One camera, what is done to it, and when."""

    def __init__(
        self, request: CaptureRequest, jitter: Callable[[], float], now_ns: int = 1000 * S
    ) -> None:
        self.now_ns = now_ns
        self.fault: Fault | None = None
        self.undriven = False
        self.attempts: list[Attempt] = []
        self.carried_out: list[tuple[Rung, int]] = []
        self._reports: list[tuple[int, int, Report]] = []
        self._numbers = itertools.count()
        self._streams = self._settled = False
        self._arrived_ns = 0
        self._session = 0
        self._busy_until_ns = 0
        self.controller = CaptureController(
            capture=self, request=request, jitter=jitter, now_ns=now_ns
        )

    # -- as the capture thread -----------------------------------------------------------------

    def command(self, command: Command) -> None:
        match command:
            case Open(session, request):
                self._open(session, request)
            case RestartStream(session):
                self._restart_stream(session)
            case Close(session):
                self._session, self._streams = session, False
            case RunRung(session, rung):
                self._run_rung(session, rung)

    def observed(self) -> Observed:
        if self._streams:
            self._arrived_ns = self.now_ns
        return Observed(arrived_ns=self._arrived_ns, rate=GRANTED.fps)

    def _open(self, session: int, request: CaptureRequest) -> None:
        self._session, self._streams = session, False
        self._survey(session)
        code = self.fault.value.strip() if self.fault else ""
        if self.undriven:
            code = Fault.AWAY.value
        took_ns = _UNANSWERED_NS if self.fault is Fault.UNANSWERED else _OPENING_NS
        done_ns = self._attempt("open", took_ns)
        if code:
            self._report(
                done_ns, Failed(session, Cause.told({"code": code}), self.fault in _PERMANENT)
            )
            return
        self._report(done_ns, Opened(session, GRANTED, request.spec.kind))
        self._start_frames(done_ns)

    def _restart_stream(self, session: int) -> None:
        done_ns = self._attempt("restart-stream", _OPENING_NS)
        self._report(done_ns, StreamRestarted(session))
        self._start_frames(done_ns)

    def _run_rung(self, session: int, rung: Rung) -> None:
        self._session, self._streams = session, False
        self.carried_out.append((rung, self.now_ns))
        result = Result.DONE
        match rung:
            case Rung.WAIT_FOR_HOLDER | Rung.GIVE_UP:  # nobody is seen to have it
                done_ns, result = self.now_ns + S // 100, Result.NOTHING
            case Rung.BIND:
                done_ns = self._attempt("bind", _OPENING_NS)
                self.undriven = self.undriven and self.fault is Fault.REFUSES_ITS_DRIVER
                result = Result.NOTHING if self.undriven else Result.DONE
            case _:
                done_ns = self._attempt(rung.value, _RUNG_NS)
                self.undriven = self.fault is Fault.REFUSES_ITS_DRIVER
        self._report(done_ns, RungDone(session, rung, Outcome(result)))

    # -- what happens to it --------------------------------------------------------------------

    def fail(self, fault: Fault) -> None:
        """Let the fault begin: whatever streams ends, as its kind ends a stream."""
        self.fault = fault
        streamed, self._streams = self._streams, False
        self._settled = False
        if streamed and fault is not Fault.SILENT:
            code = fault.value.strip()
            failed = Failed(self._session, Cause.told({"code": code}), fault in _PERMANENT)
            self._report(self.now_ns, failed)

    def mend(self) -> None:
        """Let the fault be over."""
        self.fault = None

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass; True as soon as `until` is."""
        end_ns = self.now_ns + int(seconds * S)
        while not until():
            due_ns = self.controller.deadline_ns()
            times = [end_ns, *(at_ns for at_ns, _, _ in self._reports[:1])]
            times += [due_ns] if due_ns is not None and not self._streams else []
            if min(times) >= end_ns:
                self.now_ns = end_ns
                return until()
            self.now_ns = max(self.now_ns, min(times))
            if self._reports and self._reports[0][0] <= self.now_ns:
                self._deliver(heapq.heappop(self._reports)[2])
            else:
                self.controller.tick(self.now_ns)
        return True

    def streams(self) -> bool:
        """Whether frames come, and have proved themselves."""
        return self.controller.state is State.STREAMING and self._settled

    # -- inside ----------------------------------------------------------------------------

    def _deliver(self, report: Report) -> None:
        if isinstance(report, FrameSeen | Settled):
            if report.session != self._session or not self._streams:
                return
            self._arrived_ns = self.now_ns
            self._settled = isinstance(report, Settled)
        self.controller.on_report(report, self.now_ns)

    def _start_frames(self, at_ns: int) -> None:
        self._streams, self._settled = self.fault is None, False
        if self._streams:
            self._report(at_ns + _INTERVAL_NS, FrameSeen(self._session, 320, 240))
            self._report(at_ns + 10 * _INTERVAL_NS, Settled(self._session))

    def _attempt(self, what: str, took_ns: int) -> int:
        """Note an attempt; it begins once the thread is free. Return when it is done."""
        began_ns = max(self.now_ns, self._busy_until_ns)
        self._busy_until_ns = began_ns + took_ns
        self.attempts.append(Attempt(began_ns, what, self._busy_until_ns))
        return self._busy_until_ns

    def _survey(self, session: int) -> None:
        away = self.fault is Fault.AWAY
        missing = {Rung.PORT_POWER, Rung.END_HOLDER, *(DEVICE_LEVEL if away else ())}
        if not self.undriven:
            missing.add(Rung.BIND)
        found = tuple(Unavailable(rung, "not now") for rung in missing)
        self._report(self.now_ns, Surveyed(session, found))

    def _report(self, at_ns: int, report: Report) -> None:
        heapq.heappush(self._reports, (at_ns, next(self._numbers), report))
