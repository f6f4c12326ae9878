"""What a second worker is worth: two workers with twice the viewers, beside one worker.

A machine of two cores that also has to play the viewers cannot show twice the viewers at full
rate. So this compares what a delivered frame costs: if it costs two workers no more than one, then
two cores carry twice the viewers of one. What two cores get in each other's way, memory and the
kernel's network, is not the web tier's; so one floor and two are measured beside it. Rounds
alternate; ratios are taken within each.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from benchmarks import cpu, summaries, tools
from benchmarks.errors import BenchError
from benchmarks.framebus_server import Framebus
from benchmarks.part import Measured, Part, Say, audience
from benchmarks.peers import Floor
from benchmarks.results import WorkersRound
from benchmarks.servers import Server
from benchmarks.task import Task

_VIEWERS = 200
_SIZE = tools.Size(640, 480)
_SETTLE_S = 2.0


class Workers(Part[WorkersRound]):
    """One worker and two, on the same two cores."""

    name = "workers"
    kind = WorkersRound
    file = "bench-workers.json"
    cores_needed = 2

    @property
    def how(self) -> str:
        return f"{_SIZE}, client and server on the same two cores, {self.stage.how}"

    def measure(self, say: Say) -> Measured[WorkersRound]:
        task = self.stage.task(_SIZE, self.stage.cores)
        rounds = []
        for _ in range(self.stage.rounds):
            one, two = (self._workers(task, count) for count in (1, 2))
            one_floor, two_floors = (self._floors(task, count) for count in (1, 2))
            done = WorkersRound(
                viewers=_VIEWERS,
                one_us=one.us,
                one_fps=one.fps,
                two_us=two.us,
                two_fps=two.fps,
                shares=two.shares,
                one_floor_us=one_floor.us,
                two_floors_us=two_floors.us,
            )
            rounds.append(done)
            say(
                f"one worker {done.one_us:.1f} µs per frame, two {done.two_us:.1f}: they carry "
                f"{done.times:.2f} times the viewers of one; floors: {done.one_floor_us:.1f}, "
                f"{done.two_floors_us:.1f}, {done.floors_times:.2f} times"
            )
        return Measured(rounds)

    def text(self, rows: Sequence[WorkersRound]) -> str:
        return summaries.workers(rows)

    def _workers(self, task: Task, count: int) -> _Cost:
        with closing(Framebus(task, workers=count)) as server:
            return self._cost(task, [server] * count, _VIEWERS)  # as many clients as floors have

    def _floors(self, task: Task, count: int) -> _Cost:
        with ExitStack() as stack:
            floors = [stack.enter_context(closing(Floor(task))) for _ in range(count)]
            return self._cost(task, floors, _VIEWERS)

    def _cost(self, task: Task, servers: Sequence[Server], viewers: int) -> _Cost:
        """Measure `servers` with `viewers` each."""
        with ExitStack() as stack:
            clients = [
                stack.enter_context(
                    audience(server, task, viewers, cores=self.stage.cores, settle_s=_SETTLE_S)
                )
                for server in servers
            ]
            serving = frozenset[int]().union(*(server.serving() for server in servers))
            before = {pid: cpu.times_ns({pid})[0] for pid in serving}
            for client in clients:
                client.measure()
            time.sleep(self.stage.seconds)
            reports = [client.report() for client in clients]
            spent = Counter({pid: cpu.times_ns({pid})[0] for pid in before})
            spent.subtract(before)
        parts, whole = sum(sum(report.parts) for report in reports), spent.total()
        if not parts:
            raise BenchError("no frame reached a viewer: look at the log of the web tier")
        rates = [sum(report.parts) / viewers / report.elapsed_s for report in reports]
        return _Cost(
            us=whole / 1e3 / parts,
            fps=sum(rates) / len(rates),
            shares=[ns / whole for _, ns in spent.most_common(2)],
        )


@dataclass(frozen=True, slots=True)
class _Cost:
    us: float
    """Processor time of the serving processes per delivered frame."""
    fps: float
    shares: list[float]
    """Of the two busiest processes."""
