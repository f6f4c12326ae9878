"""What a second worker is worth: two workers with twice the viewers, beside one worker.

A machine of two cores that also has to play the viewers cannot show twice the viewers at full
rate. So this compares what a delivered frame costs: if it costs two workers no more than one, then
two cores carry twice the viewers of one. Rounds alternate; the ratio is taken within each.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from benchmarks import cpu, summaries, tools
from benchmarks.errors import BenchError
from benchmarks.framebus_server import Framebus
from benchmarks.part import Measured, Part, Say, Stage, audience
from benchmarks.results import WorkersRound
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
            one, two = (_measure(task, count, self.stage) for count in (1, 2))
            done = WorkersRound(
                viewers=_VIEWERS,
                one_us=one.cost_us,
                one_fps=one.fps,
                two_us=two.cost_us,
                two_fps=two.fps,
                shares=two.shares,
            )
            rounds.append(done)
            say(
                f"one worker {done.one_us:.1f} µs per frame, two {done.two_us:.1f}: they carry "
                f"{done.times:.2f} times the viewers of one"
            )
        return Measured(rounds)

    def text(self, rows: Sequence[WorkersRound]) -> str:
        return summaries.workers(rows)


@dataclass(frozen=True, slots=True)
class _Cost:
    cost_us: float
    """Processor time of the web tier per delivered frame."""
    fps: float
    shares: list[float]


def _measure(task: Task, workers: int, stage: Stage) -> _Cost:
    viewers = workers * _VIEWERS
    with (
        closing(Framebus(task, workers=workers)) as server,
        audience(server, task, viewers, cores=stage.cores, settle_s=_SETTLE_S) as client,
    ):
        before = {pid: cpu.times_ns({pid})[0] for pid in server.serving()}
        client.measure()
        time.sleep(stage.seconds)
        report = client.report()
        spent = Counter({pid: cpu.times_ns({pid})[0] for pid in before})
        spent.subtract(before)
    parts, whole = sum(report.parts), spent.total()
    if not parts:
        raise BenchError("no frame reached a viewer: look at the log of the web tier")
    return _Cost(
        cost_us=whole / 1e3 / parts,
        fps=parts / viewers / report.elapsed_s,
        shares=[ns / whole for _, ns in spent.most_common(workers)],
    )
