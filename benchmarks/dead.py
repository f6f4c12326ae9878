"""What a daemon costs while its camera is dead for good, and how often it resets it.

    .venv/bin/python -m benchmarks.dead --seconds 600

The whole daemon runs in this process, with the fake camera of `capture_daemon/v4l2/fake` that goes
silent after a while and that nothing cures. Rungs take the time that they took in the guest, and do
nothing. Processor time is the scheduler's own count, of all threads.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import click
from framebus.contract.words import Rung
from framebus.names import CameraNames
from framebus.options.chosen import Chosen
from framebus.ring.writer import RingWriter
from framebus.signal_watch import SignalWatch

from benchmarks.cpu import times_ns
from capture_daemon.devices.hotplug import Hotplug, open_monitor
from capture_daemon.lifecycle.pipeline import SourceAccess
from capture_daemon.ownership.inherited_device import PredecessorState
from capture_daemon.ownership.keeper_client import KeeperClient
from capture_daemon.ownership.locks import Locks
from capture_daemon.ownership.source_owner import SourceOwner
from capture_daemon.parts import Parts
from capture_daemon.recovery.budget import Budgets
from capture_daemon.recovery.rungs import RESETS, Outcome, Result, Unavailable
from capture_daemon.settings.options import settings
from capture_daemon.settings.spec import SourceSpec
from capture_daemon.sources.base import Interrupt, Request, Source
from capture_daemon.systemd import ServiceManager
from capture_daemon.v4l2.fake import FakeCamera, FakeKernel
from capture_daemon.v4l2.source import V4L2Source

_NODE = "/dev/video-fake"
_RUNG_S = 0.4
"""What a USB reset, and binding the driver anew, took in the guest."""
_FIRST_S = 3.0
"""How long the camera is well at first."""


class _Rungs:
    """All rungs are to be had, and none helps."""

    def __init__(self) -> None:
        self.carried_out: list[tuple[Rung, int]] = []
        """Each device-level rung, with when it began, CLOCK_MONOTONIC ns."""

    def survey(self, source: Source | None) -> tuple[Unavailable, ...]:  # noqa: ARG002
        return ()

    def run_rung(self, rung: Rung, limit_s: float, interrupt: Interrupt) -> Outcome:  # noqa: ARG002
        self.carried_out.append((rung, time.monotonic_ns()))
        interrupt.wait(_RUNG_S)
        return Outcome(Result.DONE, "done")


@click.command(context_settings={"show_default": True})
@click.option("--seconds", default=600.0, help="How long to measure.")
def main(seconds: float) -> None:
    """Measure a daemon whose camera is dead."""
    camera = FakeCamera(_NODE)
    kernel = FakeKernel([camera])
    rungs = _Rungs()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        parts = _parts(Path(folder), kernel, rungs, stack)
        parts.start()
        daemon = threading.Thread(target=parts.daemon.run)
        daemon.start()
        with kernel.playing(fps=30):
            time.sleep(_FIRST_S)
        camera.silent = True
        begun_ns, (spent_ns, _) = time.monotonic_ns(), times_ns([os.getpid()])
        time.sleep(seconds)
        took_ns, spent_ns = time.monotonic_ns() - begun_ns, times_ns([os.getpid()])[0] - spent_ns
        parts.daemon.end()
        daemon.join()
        parts.end_threads(10.0)
    print(
        f"in {took_ns / 1e9:.0f} s the daemon took {spent_ns / 1e9:.2f} s of processor time, "
        f"{100 * spent_ns / took_ns:.2f} % of a core"
    )
    budgets = Budgets()
    for rung, then_ns in rungs.carried_out:
        early = " (before its budget allows)" * (budgets.free_ns(rung, then_ns) > then_ns)
        budgets = budgets.spend(rung, then_ns)
        print(f"{(then_ns - begun_ns) / 1e9:7.1f} s  {rung.value}{early}")
    print(f"{sum(rung in RESETS for rung, _ in rungs.carried_out)} resets")


def _parts(folder: Path, kernel: FakeKernel, rungs: _Rungs, stack: ExitStack) -> Parts:
    def build(_spec: SourceSpec, request: Request, interrupt: Interrupt) -> V4L2Source:
        return V4L2Source(_NODE, request, interrupt, ops=kernel, resolve=lambda _: _NODE)

    def sources() -> SourceOwner:
        return SourceOwner(locks=Locks(), runtime=folder, keeper=KeeperClient({}), build=build)

    names = CameraNames(folder, "dead")
    signals = SignalWatch(())
    stack.callback(signals.close)
    return Parts(
        settings(Chosen({"source": f"v4l2:{_NODE}", "ring_size": "1M"})),
        names,
        state=folder / "state",
        writer=RingWriter.create(names, capacity=1 << 20),
        predecessor_state=PredecessorState(),
        camera=SourceAccess(sources(), rungs),
        spare=SourceAccess(sources(), rungs),
        hotplug=Hotplug(open_monitor),
        manager=ServiceManager({}),
        signals=signals,
        stack=stack,
    )


if __name__ == "__main__":
    main()
