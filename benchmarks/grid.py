"""Runs the grid: every size with every number of viewers, every server in turn, round after round.

The servers of a cell run one after another in the same minute, alone on their core, so that what
else the machine does weighs on all of them alike; the ratios are taken within a round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cpu, servers, tools
from benchmarks.client import Viewers
from benchmarks.figures import Measurement
from benchmarks.task import Task

_SETTLE_S = 0.7
"""From each viewer's first part to the measurement: meanwhile kernel buffers find their size."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    sizes: Sequence[tools.Size]
    viewers: Sequence[int]
    servers: Sequence[str]
    seconds: float
    rounds: int
    fps: int
    server_core: int
    client_core: int
    directory: Path
    """Where programs and clips are kept."""

    @property
    def runs(self) -> int:
        """How many measurements that makes."""
        return len(self.sizes) * len(self.viewers) * len(self.servers) * self.rounds


def cells(plan: Plan, say: Callable[[str], None]) -> Iterator[list[list[Measurement]]]:
    """Yield the rounds of one cell after another; `say` is told what goes on.

    Raises:
        BenchError: something did not start, or ended in between.
    """
    load = tools.program("load", plan.directory)
    done = 0
    for size in plan.sizes:
        clip = tools.clip(size, plan.directory)
        task = Task(clip, size, plan.fps, (plan.server_core,), plan.directory)
        for viewers in plan.viewers:
            rounds = []
            for _ in range(plan.rounds):
                one = []
                for name in plan.servers:
                    done += 1
                    measured = _measure(name, task, viewers, plan, load)
                    one.append(measured)
                    say(f"[{done}/{plan.runs}] {_line(measured)}")
                rounds.append(one)
            yield rounds


def _measure(name: str, task: Task, count: int, plan: Plan, load: Path) -> Measurement:
    with (
        closing(servers.start(name, task)) as server,
        closing(
            Viewers(
                load,
                port=server.port,
                path=server.path,
                count=count,
                stamp=server.stamp,
                cores=(plan.client_core,),
            )
        ) as viewers,
    ):
        viewers.wait()
        time.sleep(_SETTLE_S)
        groups = (server.serving(), server.capturing(), (viewers.pid,))
        began, before = time.monotonic(), [cpu.times_ns(group) for group in groups]
        viewers.measure()
        time.sleep(plan.seconds)
        report = viewers.report()
        after, wall_s = [cpu.times_ns(group) for group in groups], time.monotonic() - began
        spent = [b[0] - a[0] for a, b in zip(before, after, strict=True)]
        return Measurement.of(
            report,
            server=name,
            size=str(task.size),
            frame_bytes=tools.mean_frame_bytes(task.clip),
            wall_s=wall_s,
            serving_ns=spent[0],
            waiting_ns=after[0][1] - before[0][1],
            daemon_ns=spent[1],
            client_ns=spent[2],
        )


def _line(one: Measurement) -> str:
    return (
        f"{one.size}, {one.viewers} viewers, {one.server}: {one.cpu_us:.1f} µs per frame, "
        f"{one.fps_median:.1f} fps, core {one.core_percent:.0f} %, "
        f"waited {one.waited_percent:.0f} %, client {one.client_percent:.0f} %"
    )
