"""The grid: every size with every number of viewers, every server in turn, round after round.

The servers of a cell run one after another in the same minute, alone on their core, so that what
else the machine does weighs on all of them alike; the ratios are taken within a round. Every other
round goes the other way round, so that none is always the one that comes after another.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks import cpu, plot, servers, tools
from benchmarks.errors import BenchError
from benchmarks.figures import Measurement, Row, summarise
from benchmarks.part import Measured, Part, Say, Stage, audience
from benchmarks.table import table
from benchmarks.task import Task

_SETTLE_S = 2.5
"""From each viewer's first part to the measurement: so long the kernel's buffers and windows find
their size, and frames get cheaper."""


class Grid(Part[Row]):
    """framebus beside the floor and its peers."""

    name = "grid"
    kind = Row
    file = "bench.json"
    figure = "bench.png"

    def __init__(
        self,
        stage: Stage,
        *,
        sizes: Sequence[tools.Size],
        viewers: Sequence[int],
        names: Sequence[str],
    ) -> None:
        """Measure servers `names`. Raises BenchError for one that is unknown."""
        super().__init__(stage)
        if unknown := [name for name in names if name not in servers.NAMES]:
            raise BenchError(f"no server {unknown[0]!r}: choose from {', '.join(servers.NAMES)}")
        self._sizes, self._viewers, self._names = sizes, viewers, names

    @property
    def how(self) -> str:
        return f"the server on one core, {self.stage.how}"

    def measure(self, say: Say) -> Measured[Row]:
        if len(self.stage.cores) < 2:
            say("bench: only one core, so that server and client get into each other's way")
        names = []
        for name in self._names:
            if reason := servers.missing(name):
                say(f"bench: leaving {name} out: {reason}")
            else:
                names.append(name)
        if not names:
            raise BenchError("none of the servers asked for is here: add framebus to --servers")
        done, runs = 0, len(self._sizes) * len(self._viewers) * len(names) * self.stage.rounds
        rows: list[Row] = []
        measured: list[list[Measurement]] = []
        for size in self._sizes:
            task = self.stage.task(size, (self.stage.server_core,))
            for count in self._viewers:
                cell = []
                for number in range(self.stage.rounds):
                    one = []
                    for name in names[:: -1 if number % 2 else 1]:
                        done += 1
                        one.append(_measure(name, task, count, self.stage))
                        say(f"[{done}/{runs}] {_line(one[-1])}")
                    cell.append(one)
                rows += summarise(cell)
                measured += cell
        return Measured(rows, measured)

    def text(self, rows: Sequence[Row]) -> str:
        return table(rows)

    def draw(self, rows: Sequence[Row], path: Path, caption: str) -> None:
        plot.draw(rows, path, caption)


def _measure(name: str, task: Task, count: int, stage: Stage) -> Measurement:
    with (
        closing(servers.start(name, task)) as server,
        audience(server, task, count, cores=(stage.client_core,), settle_s=_SETTLE_S) as viewers,
    ):
        groups = (server.serving(), server.capturing(), (viewers.pid,))
        handed = server.handed()
        began, before = time.monotonic(), [cpu.times_ns(group) for group in groups]
        viewers.measure()
        time.sleep(stage.seconds)
        report = viewers.report()
        after, wall_s = [cpu.times_ns(group) for group in groups], time.monotonic() - began
        handed_later = server.handed()
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
            handed=handed_later - handed if handed and handed_later else None,
        )


def _line(one: Measurement) -> str:
    return (
        f"{one.size}, {one.viewers} viewers, {one.server}: {one.cpu_us:.1f} µs per frame, "
        f"{one.fps_median:.1f} fps, core {one.core_percent:.0f} %, "
        f"waited {one.waited_percent:.0f} %, client {one.client_percent:.0f} %"
    )
