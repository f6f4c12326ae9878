"""The course of one case: to its state, the fault, and what mends it. Remembers the moments.

Moments are CLOCK_MONOTONIC nanoseconds.
"""

from __future__ import annotations

import contextlib
import time

from tests.guest.camera.client import BenchError, wait_for
from tests.guest.recovery.cases import Case, State
from tests.guest.recovery.stack import processor_s
from tests.guest.recovery.stage import Stage


class Course:
    """Made when frames flow; `run` it once."""

    def __init__(self, stage: Stage, case: Case) -> None:
        assert stage.processes is not None
        self._stage = stage
        self._case = case
        self.daemon = stage.processes.daemon()
        """The process that serves the camera at the beginning."""
        self.begun_ns = self.met_ns = self.mended_ns = time.monotonic_ns()
        # met: from when the daemon could notice, the injection or the start that meets it;
        # mended: from when it could recover, the same or when all is mended from outside.
        self.notes: list[str] = []

    def run(self) -> None:
        """Bring to the state, inject, hold, mend. Raises what the steps raise."""
        stage, fault = self._stage, self._case.fault
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
                if stage.rivals.late():
                    stage.daemon.restart()  # or that opening would have met nobody
            case State.STREAMING:
                self._inject()
                if fault.kick:
                    stage.daemon.restart()
            case State.STOPPING:
                stage.daemon.call("stop")
                self._inject()
                if not fault.restarts:
                    self._until_stopped()
                self._start()
        self.mended_ns = self.met_ns
        if not fault.mend:
            return
        spent_s, configured = self._costs()
        time.sleep(fault.hold_s)
        if fault.long:
            spent_s, configured = self._costs()[0] - spent_s, self._costs()[1] - configured
            self.notes.append(
                f"in {fault.hold_s:g} s the daemon took {spent_s:.1f} s of processor time, and the "
                f"camera was configured {configured} times"
            )
        for step in fault.mend:
            stage.act(step)
        self.mended_ns = time.monotonic_ns()

    def _costs(self) -> tuple[float, int]:
        """Return the daemon's processor time, seconds, and how often the camera was configured."""
        camera, configured = self._stage.camera, 0
        if camera is not None and self._case.fault.long:
            with contextlib.suppress(BenchError):  # unplugged
                configured = camera.state()["configurations"]
        return processor_s(self.daemon), configured

    def _inject(self) -> None:
        self.met_ns = time.monotonic_ns()
        for step in self._case.fault.inject:
            self._stage.act(step)

    def _start(self) -> None:
        """Start the capture; it counts from the command, not from its answer."""
        self.met_ns = time.monotonic_ns()
        self._stage.daemon.call("start")

    def _until_stopped(self) -> None:
        """Wait until the capture is stopped, or the daemon that was told to is gone."""

        def stopped() -> bool:
            status = self._stage.daemon.status()
            cause = (status.get("cause") or {}).get("code")
            return (status.get("state"), cause) == ("stopped", "stopped") or (
                status.get("pid", self.daemon) != self.daemon
            )

        wait_for(stopped, "the capture to stop", self._case.fault.limit_s)
