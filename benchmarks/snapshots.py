"""Snapshots: programs that ask for one picture again and again, with and without keep-alive.

framebus and ustreamer in turn, alone on their core, the client (polls.c) on the other one. Each
connection asks again as soon as it has its answer, so what is measured is how many answers a second
a server has to give.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks import cpu, servers, snapshot_figures, tools
from benchmarks.errors import BenchError
from benchmarks.figures import FRAMEBUS
from benchmarks.part import Measured, Part, Say, Stage
from benchmarks.peers import USTREAMER
from benchmarks.program import Program
from benchmarks.snapshot_figures import Answers, SnapshotsMeasurement, SnapshotsRow
from benchmarks.task import Task

_PATH = "/snapshot"
"""Of both."""
_SETTLE_S = 1.5
"""The daemon has ended the threads by then that it needs only to start."""
_READY_S = 75.0
"""Above polls.c's own 60 s, so that its word on the matter is the one that is heard."""
_REPORT_S = 10.0


class Pollers:
    """Many connections that ask for snapshots, in a process of their own."""

    def __init__(self, polls: Path, *, port: int, count: int, kept: bool, core: int) -> None:
        """Connect `count` of them to a port of 127.0.0.1, from processor `core`."""
        how = "keep" if kept else "close"
        self._program = Program([polls, str(port), _PATH, str(count), how], cores=(core,))

    @property
    def pid(self) -> int:
        """The client's process id."""
        return self._program.pid

    def wait(self) -> None:
        """Return when each connection has had an answer. Raises BenchError when one has not."""
        self._program.listen(_READY_S)

    def measure(self) -> None:
        """Count from now on."""
        self._program.tell("measure")

    def report(self) -> Answers:
        """Return what was received since `measure`."""
        self._program.tell("report")
        return Answers.parse(self._program.listen(_REPORT_S))

    def close(self) -> None:
        """Disconnect all of them."""
        self._program.close()


class Snapshots(Part[SnapshotsRow]):
    """framebus beside ustreamer."""

    name = "snapshots"
    kind = SnapshotsRow
    file = "bench-snapshots.json"
    cores_needed = 2

    def __init__(
        self, stage: Stage, *, sizes: Sequence[tools.Size], connections: Sequence[int]
    ) -> None:
        super().__init__(stage)
        self._sizes, self._connections = sizes, connections

    @property
    def how(self) -> str:
        return f"the server on one core, {self.stage.how}"

    def measure(self, say: Say) -> Measured[SnapshotsRow]:
        names = [FRAMEBUS, USTREAMER]
        if reason := servers.missing(USTREAMER):
            say(f"bench: leaving {USTREAMER} out: {reason}")
            names.remove(USTREAMER)
        rows: list[SnapshotsRow] = []
        for size in self._sizes:
            task = self.stage.task(size, (self.stage.server_core,))
            for count in self._connections:
                for kept in (True, False):
                    cell = []
                    for number in range(self.stage.rounds):
                        one = []
                        for name in names[:: -1 if number % 2 else 1]:
                            one.append(_measure(name, task, count, kept, self.stage))
                            say(_line(one[-1]))
                        cell.append(one)
                    rows += snapshot_figures.summarise(cell)
        return Measured(rows)

    def text(self, rows: Sequence[SnapshotsRow]) -> str:
        return snapshot_figures.text(rows)


def _measure(name: str, task: Task, count: int, kept: bool, stage: Stage) -> SnapshotsMeasurement:
    polls = tools.program("polls", task.tools)
    with (
        closing(servers.start(name, task)) as server,
        closing(
            Pollers(polls, port=server.port, count=count, kept=kept, core=stage.client_core)
        ) as pollers,
    ):
        pollers.wait()
        time.sleep(_SETTLE_S)
        groups = (server.serving() | server.capturing(), (pollers.pid,))
        began, before = time.monotonic(), [cpu.times_ns(group) for group in groups]
        pollers.measure()
        time.sleep(stage.seconds)
        answers = pollers.report()
        after, wall_s = [cpu.times_ns(group) for group in groups], time.monotonic() - began
    if not answers.answers:
        raise BenchError(f"{name} gave no snapshot: try it by hand")
    return SnapshotsMeasurement.of(
        answers,
        server=name,
        size=str(task.size),
        frame_bytes=tools.mean_frame_bytes(task.clip),
        connections=count,
        kept=kept,
        wall_s=wall_s,
        server_ns=after[0][0] - before[0][0],
        client_ns=after[1][0] - before[1][0],
    )


def _line(one: SnapshotsMeasurement) -> str:
    kept = "kept" if one.kept else "a connection each"
    return (
        f"{one.size}, {one.connections} connections, {kept}, {one.server}: "
        f"{one.requests_per_s:.0f} requests/s, {one.cpu_us:.0f} µs each, p99 {one.p99_ms} ms, "
        f"core {one.core_percent:.0f} %, client {one.client_percent:.0f} %, {one.faults} faults"
    )
