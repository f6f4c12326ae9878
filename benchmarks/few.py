"""Few viewers: all of a server's processes, with nobody watching, one viewer and three.

framebus is what `framebus up` starts. A server stays up while viewers come; servers take turns on
the same core within each round, every other round the other way round, as in the grid.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from benchmarks import cpu, servers, tools
from benchmarks.errors import BenchError
from benchmarks.few_rows import SHARES, TOGETHER, FewRow, Sample, brief, summarise, table
from benchmarks.figures import FRAMEBUS
from benchmarks.framebus_up import FramebusUp
from benchmarks.part import Measured, Part, Say, Stage, audience
from benchmarks.servers import Server
from benchmarks.task import Task

_COUNTS = (0, 1, 3)
"""Viewers. Nobody first: then nobody has just left."""
_SETTLE_S = 2.5
"""From a server's first answer, and from each viewer's first part, to the measurement."""


class Few(Part[FewRow]):
    """framebus as a user runs it, beside the floor and its peers."""

    name = "few"
    kind = FewRow
    file = "bench-few.json"

    def __init__(self, stage: Stage, *, sizes: Sequence[tools.Size], names: Sequence[str]) -> None:
        super().__init__(stage)
        self._sizes, self._names = sizes, names

    @property
    def how(self) -> str:
        return f"all processes of a server on one core, {self.stage.how}"

    def measure(self, say: Say) -> Measured[FewRow]:
        names = [name for name in self._names if not servers.missing(name)]
        if not names:
            raise BenchError("none of the servers asked for is here: add framebus to --servers")
        rows: list[FewRow] = []
        for size in self._sizes:
            task = self.stage.task(size, (self.stage.server_core,))
            cells: dict[int, list[list[Sample]]] = {count: [] for count in _COUNTS}
            for number in range(self.stage.rounds):
                for cell in cells.values():
                    cell.append([])
                for name in names[:: -1 if number % 2 else 1]:
                    for one in _samples(name, task, self.stage):
                        cells[one.viewers][-1].append(one)
                        say(
                            f"{size}, {one.viewers} viewers, {name}: {one.core_percent:.2f} % of "
                            f"a core, {one.wakeups:.0f} wake-ups a second"
                        )
            for cell in cells.values():
                rows += sorted(summarise(cell, self.stage.fps), key=lambda r: names.index(r.server))
        return Measured(rows)

    def text(self, rows: Sequence[FewRow]) -> str:
        return table(rows)

    def brief(self, rows: Sequence[FewRow]) -> str:
        return brief(rows)


def _samples(name: str, task: Task, stage: Stage) -> Iterator[Sample]:
    """Yield a sample with each number of viewers, of one server that stays up."""
    server: Server = FramebusUp(task) if name == FRAMEBUS else servers.start(name, task)
    with closing(server):
        for count in _COUNTS:
            if not count:
                time.sleep(_SETTLE_S)
                percent, wakeups = _spent(server, stage.seconds)
                report = None
            else:
                on = (stage.client_core,)
                with audience(server, task, count, cores=on, settle_s=_SETTLE_S) as viewers:
                    viewers.measure()
                    percent, wakeups = _spent(server, stage.seconds)
                    report = viewers.report()
            yield Sample.of(
                report,
                server=name,
                size=str(task.size),
                frame_bytes=tools.mean_frame_bytes(task.clip),
                percent=percent,
                wakeups=wakeups,
            )


def _spent(server: Server, seconds: float) -> tuple[dict[str, float], float]:
    """Return what each share takes of a core meanwhile, per cent, and the wake-ups a second."""
    shares = {TOGETHER: server.serving()}
    if isinstance(server, FramebusUp):
        groups = (server.capturing(), server.serving(), server.rest())
        shares = dict(zip(SHARES, groups, strict=True))
    everything = frozenset().union(*shares.values())
    woken, began = cpu.wakeups(everything), time.monotonic()
    before = {share: cpu.times_ns(pids)[0] for share, pids in shares.items()}
    time.sleep(seconds)
    after = {share: cpu.times_ns(pids)[0] for share, pids in shares.items()}
    wall_s = time.monotonic() - began
    percent = {share: (after[share] - before[share]) / wall_s / 1e7 for share in shares}
    return percent, (cpu.wakeups(everything) - woken) / wall_s
