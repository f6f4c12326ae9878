"""One case, from frames to frames: bring to the state, inject, mend, watch, judge.

Times are the guest's own. What the emulated camera and the kernel need for a replug is not
counted: time runs from the moment that the node is there.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from framebus.errors import FramebusError

from tests.guest.camera.client import BenchError, wait_for
from tests.guest.recovery import leftovers, rows, watching
from tests.guest.recovery.cases import Case, State
from tests.guest.recovery.evidence import evidence
from tests.guest.recovery.observer import utc_offset_ns
from tests.guest.recovery.results import Result
from tests.guest.recovery.rows import Row
from tests.guest.recovery.stack import processor_s
from tests.guest.recovery.stage import Stage
from tests.guest.recovery.steps import Kill

_LINGER_S = 1.5
"""It must still stream after so long: an outage may begin later than its fault."""
_ENDS_S = 60.0
_HARNESS = (OSError, TimeoutError, RuntimeError, BenchError, FramebusError)


@dataclass
class _Moments:
    """CLOCK_MONOTONIC nanoseconds."""

    begun_ns: int
    met_ns: int = 0
    """From when the daemon could notice: the injection, or the start that meets it."""
    mended_ns: int = 0
    """From when it could recover: `met_ns`, or when all is mended from outside."""


class Measurement:
    """One run of one case on a stage."""

    def __init__(self, stage: Stage, case: Case, *, kernel: str) -> None:
        self._stage = stage
        self._case = case
        self._kernel = kernel
        self._moments = _Moments(time.monotonic_ns())
        self._problems: list[str] = []
        self._notes: list[str] = []
        self._row: Row | None = None
        self._before: Counter[str] = Counter()
        self._left: list[str] = []
        self._counted: dict[str, Any] = {}
        self._daemon = 0
        self._log_from = 0

    def run(self) -> Result:
        """Run it; never raises for what goes wrong in the case."""
        stage = self._stage
        try:
            stage.prepare(self._case.fault)
            self._remember()
            self._bring_about()
            self._watch()
            self._judge()
        except _HARNESS as error:
            self._problems.append(f"not measured: {type(error).__name__}: {error}")
        result = self._result()
        with contextlib.suppress(*_HARNESS):
            stage.tidy()
        return result

    def _remember(self) -> None:
        stage = self._stage
        assert stage.processes is not None
        stage.observer.forget()
        self._before = stage.count()
        self._daemon = stage.processes.daemon()
        self._log_from = stage.log.stat().st_size
        self._counted = stage.daemon.status().get("frames", {})
        self._moments = _Moments(time.monotonic_ns())

    def _bring_about(self) -> None:
        """Bring to the state, inject, hold, mend."""
        stage, fault, moments = self._stage, self._case.fault, self._moments
        match self._case.state:
            case State.IDLE:
                stage.daemon.call("stop")
                self._until_stopped()
                self._inject()
                self._start()
            case State.OPENING:
                stage.daemon.call("stop")
                self._until_stopped()
                self._start()
                self._inject()
            case State.STREAMING:
                self._inject()
                if fault.kick:
                    stage.daemon.call("restart")
            case State.STOPPING:
                stage.daemon.call("stop")
                self._inject()
                self._until_stopped()
                self._start()
        moments.mended_ns = moments.met_ns
        if not fault.mend:
            return
        spent_s, configured = self._costs()
        time.sleep(fault.hold_s)
        if fault.long:
            spent_s, configured = self._costs()[0] - spent_s, self._costs()[1] - configured
            self._notes.append(
                f"in {fault.hold_s:g} s the daemon took {spent_s:.1f} s of processor time, and the "
                f"camera was configured {configured} times"
            )
        for step in fault.mend:
            stage.act(step)
        moments.mended_ns = time.monotonic_ns()

    def _costs(self) -> tuple[float, int]:
        """Return the daemon's processor time, seconds, and how often the camera was configured."""
        camera = self._stage.camera
        configured = camera.state()["configurations"] if camera and self._case.fault.long else 0
        return processor_s(self._daemon), configured

    def _inject(self) -> None:
        self._moments.met_ns = time.monotonic_ns()
        for step in self._case.fault.inject:
            self._stage.act(step)

    def _start(self) -> None:
        """Start the capture; it counts from the command, not from its answer."""
        now_ns = time.monotonic_ns()
        self._stage.daemon.call("start")
        self._moments.met_ns = now_ns

    def _until_stopped(self) -> None:
        """Wait until the capture is stopped, or the daemon that was told to is gone."""

        def stopped() -> bool:
            status = self._stage.daemon.status()
            cause = (status.get("cause") or {}).get("code")
            return (status.get("state"), cause) == ("stopped", "stopped") or (
                status.get("pid", self._daemon) != self._daemon
            )

        wait_for(stopped, "the capture to stop", self._case.fault.limit_s)

    # -- afterwards ----------------------------------------------------------------------------

    def _newest_row(self) -> Row | None:
        return rows.last_row(
            self._stage.observer.frames(),
            after_ns=self._moments.mended_ns,
            fps=self._case.fault.fps,
        )

    def _watch(self) -> None:
        """Wait for ten frames in a row that are still followed by others a while later."""
        limit_ns = time.monotonic_ns() + int(self._case.fault.limit_s * 1e9)
        gap_ns = rows.gap_limit_ns(self._case.fault.fps)
        while time.monotonic_ns() < limit_ns:
            time.sleep(0.1)
            row = self._newest_row()
            if row is None or row.tenth_ns is None:
                continue
            time.sleep(_LINGER_S)
            later = self._newest_row()
            if later is None or later.first_ns != row.first_ns:
                continue
            if time.monotonic_ns() - later.last_ns < gap_ns:
                self._row = later
                return
        status = self._stage.daemon.status()
        cause = (status.get("cause") or {}).get("code", "no cause")
        state = status.get("state", "no daemon answers")
        self._problems.append(
            f"no ten frames in a row within {self._case.fault.limit_s:g} s: {state}, {cause}"
        )

    def _judge(self) -> None:
        stage, fault = self._stage, self._case.fault
        stage.observer.sweep()
        answers = Counter(stage.daemon.answers())
        self._notes += [f"{count} x {text}" for text, count in answers.items()]
        self._judge_daemons()
        stage.tidy()
        if self._row is not None:
            # Closing takes a moment after the frames are back.
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: not self._leftovers(), "nothing to be left over", 5.0)
            if self._left:
                self._problems.append("left over")
            self._judge_viewers()
        if any(isinstance(step, Kill) for step in fault.inject):
            return
        assert stage.processes is not None
        now = stage.processes.daemon()
        if now != self._daemon:
            self._problems.append("the daemon died" if not now else "the daemon was replaced")

    def _leftovers(self) -> list[str]:
        self._left = leftovers.left(self._before, self._stage.count())
        return self._left

    def _judge_daemons(self) -> None:
        stage, ends = self._stage, self._case.fault.ends
        if not ends:
            return
        assert stage.processes is not None
        processes = stage.processes
        earlier = sum(isinstance(step, Kill) for step in self._case.fault.inject)
        with contextlib.suppress(TimeoutError):
            wait_for(lambda: len(processes.ended()) >= ends + earlier, "daemons to end", _ENDS_S)
        codes = Counter(processes.ended())
        if codes[os.EX_TEMPFAIL] != ends:
            self._problems.append(f"exit codes of the daemons: {dict(codes)}")
        processes.forget_ended()

    def _judge_viewers(self) -> None:
        audience = self._stage.audience
        since_s = (self._moments.mended_ns + utc_offset_ns()) / 1e9
        with contextlib.suppress(TimeoutError):
            everybody = len(audience.viewers)
            wait_for(lambda: audience.fresh(since_s) == everybody, "new frames", 5.0)
        self._problems += audience.problems(since_s)

    def _result(self) -> Result:
        stage, moments, observer = self._stage, self._moments, self._stage.observer
        incidents = [
            incident
            for incident in stage.daemon.incidents() or observer.incidents
            if int(incident.get("ended_utc_ns") or 1 << 62) - utc_offset_ns() > moments.met_ns
        ]
        detected_ns = watching.detected_ns(observer.seen, after_ns=moments.met_ns)
        rung, derived = watching.rung(incidents, observer.seen, after_ns=moments.met_ns)
        row = self._row
        holders = [holder for one in incidents for holder in one.get("holders") or []]
        return Result(
            case=self._case.name,
            kernel=self._kernel,
            problems=self._problems,
            detected_s=_seconds(detected_ns, moments.met_ns),
            first_s=_seconds(row.first_ns if row else None, moments.mended_ns),
            ten_s=_seconds(row.tenth_ns if row else None, moments.mended_ns),
            rung=rung,
            rung_derived=derived,
            states=watching.states(observer.seen, after_ns=moments.met_ns),
            causes=watching.causes(observer.seen, after_ns=moments.met_ns),
            lost=rows.lost(observer.frames(), since_ns=moments.begun_ns),
            rejected=self._rejected(),
            disconnected=stage.audience.gone(),
            holders=[str(holder.get("command")) for holder in holders],
            kernel_lines=sum(len(one.get("kernel_log") or []) for one in incidents),
            left=self._left,
            notes=self._notes,
            evidence=evidence(stage, incidents, self._log_from) if self._problems else {},
            took_s=round((time.monotonic_ns() - moments.begun_ns) / 1e9, 2),
            release=os.uname().release,
            utc=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _rejected(self) -> dict[str, int]:
        now = self._stage.daemon.status().get("frames", {}).get("rejected", {})
        before = self._counted.get("rejected", {})
        more = {reason: count - before.get(reason, 0) for reason, count in now.items()}
        return {reason: count for reason, count in more.items() if count > 0}


def _seconds(at_ns: int | None, from_ns: int) -> float | None:
    return None if at_ns is None else round((at_ns - from_ns) / 1e9, 3)
