"""One case, from frames to frames: its course, then watching, judging and the figures.

Times are the guest's own. What the emulated camera and the kernel need for a replug is not
counted: time runs from the moment that the node is there.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from framebus.errors import FramebusError

from tests.guest.camera.client import BenchError, wait_for
from tests.guest.recovery import leftovers, rows, watching
from tests.guest.recovery.cases import Case
from tests.guest.recovery.course import Course
from tests.guest.recovery.evidence import evidence
from tests.guest.recovery.observer import utc_offset_ns
from tests.guest.recovery.results import Result
from tests.guest.recovery.rows import Row
from tests.guest.recovery.stage import Stage
from tests.guest.recovery.steps import Kill

_LINGER_S = 1.5
"""It must still stream after so long: an outage may begin later than its fault."""
_ENDS_S = 60.0
_BEFORE_NS = 1_000_000_000
"""Losses are counted from a frame before the fault, which the ring still has."""
_HARNESS = (OSError, TimeoutError, RuntimeError, BenchError, FramebusError)


def measure(stage: Stage, case: Case, *, kernel: str) -> Result:
    """Run a case once; what goes wrong in it is the result's."""
    log_from = stage.log.stat().st_size
    begun_s = time.monotonic()
    try:
        stage.prepare(case.fault)
    except _HARNESS as error:
        problem = f"no frames before the case: {type(error).__name__}: {error}"
        found = evidence(stage, [], log_from)
        return Result(
            case=case.name,
            kernel=kernel,
            fps=case.fault.fps,
            problems=[problem],
            evidence=found,
        )
    prelude_s = round(time.monotonic() - begun_s, 2)
    result = replace(Measurement(stage, case).run(kernel), prelude_s=prelude_s)
    with contextlib.suppress(*_HARNESS):
        stage.tidy()
    return result


class Measurement:
    """One run of one case. Made when frames flow."""

    def __init__(self, stage: Stage, case: Case) -> None:
        assert stage.processes is not None
        stage.observer.forget()
        stage.processes.forget_ended()
        self._stage = stage
        self._case = case
        self._problems: list[str] = []
        self._row: Row | None = None
        self._left: list[str] = []
        self._before = stage.count()
        self._log_from = stage.log.stat().st_size
        self._rejected_before = self._rejected()
        self._course = Course(stage, case)

    def run(self, kernel: str) -> Result:
        """Run it; never raises for what goes wrong in the case."""
        try:
            self._course.run()
            self._watch()
            self._judge()
        except _HARNESS as error:
            self._problems.append(f"not measured: {type(error).__name__}: {error}")
        return self._result(kernel)

    def _newest_row(self) -> Row | None:
        return rows.last_row(
            self._stage.observer.frames(),
            after_ns=self._course.mended_ns,
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
        self._course.notes += [f"{count} x {text}" for text, count in answers.items()]
        self._judge_daemons()
        if unmet := stage.unmet():
            self._problems.append(f"never met: {', '.join(unmet)}")
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
        if now != self._course.daemon:
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

    def _judge_viewers(self) -> None:
        audience = self._stage.audience
        since_s = (self._course.mended_ns + utc_offset_ns()) / 1e9
        with contextlib.suppress(TimeoutError):
            everybody = len(audience.viewers)
            wait_for(lambda: audience.fresh(since_s) == everybody, "new frames", 5.0)
        self._problems += audience.problems(since_s)

    def _result(self, kernel: str) -> Result:
        stage, moments, observer = self._stage, self._course, self._stage.observer
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
            kernel=kernel,
            fps=self._case.fault.fps,
            problems=self._problems,
            detected_s=_seconds(detected_ns, moments.met_ns),
            first_s=_seconds(row.first_ns if row else None, moments.mended_ns),
            ten_s=_seconds(row.tenth_ns if row else None, moments.mended_ns),
            rung=rung,
            rung_derived=derived,
            states=watching.states(observer.seen, after_ns=moments.met_ns),
            causes=watching.causes(observer.seen, after_ns=moments.met_ns),
            lost=rows.lost(observer.frames(), since_ns=moments.begun_ns - _BEFORE_NS),
            rejected=dict(self._rejected() - self._rejected_before),
            disconnected=stage.audience.gone(),
            holders=[str(holder.get("command")) for holder in holders],
            kernel_lines=sum(len(one.get("kernel_log") or []) for one in incidents),
            left=self._left,
            notes=moments.notes,
            evidence=evidence(stage, incidents, self._log_from) if self._problems else {},
            took_s=round((time.monotonic_ns() - moments.begun_ns) / 1e9, 2),
            release=os.uname().release,
            utc=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _rejected(self) -> Counter[str]:
        return Counter(self._stage.daemon.status().get("frames", {}).get("rejected", {}))


def _seconds(at_ns: int | None, from_ns: int) -> float | None:
    return None if at_ns is None else round((at_ns - from_ns) / 1e9, 3)
