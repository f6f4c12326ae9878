"""A thousand viewers for ten minutes, on the same machine as the client that plays them.

Camera, two workers and the load client share two cores. Says each minute what the workers hold in
memory; at the end what the viewers got, and what the daemon says of its frames.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from benchmarks import cpu, summaries, tools
from benchmarks.client import Viewers
from benchmarks.errors import BenchError
from benchmarks.framebus_server import Framebus
from benchmarks.part import Measured, Part, Say, Stage, audience
from benchmarks.results import LongRun, frame_counts
from benchmarks.task import Task

_SIZE = tools.Size(640, 480)
_WORKERS = 2
_SETTLE_S = 3.0
_EVERY_S = 60.0


class Thousand(Part[LongRun]):
    """Many viewers at once, for long."""

    name = "thousand"
    kind = LongRun
    file = "bench-thousand.json"
    cores_needed = 2

    def __init__(self, stage: Stage, *, viewers: int, seconds: float) -> None:
        super().__init__(stage)
        self._viewers, self._seconds = viewers, seconds

    @property
    def how(self) -> str:
        return (
            f"{_WORKERS} workers, daemon and client on the same two cores, "
            f"{self.stage.fps} fps, {self._seconds:g} s"
        )

    def measure(self, say: Say) -> Measured[LongRun]:
        task = self.stage.task(_SIZE, self.stage.cores)
        with (
            closing(Framebus(task, workers=_WORKERS)) as server,
            audience(
                server, task, self._viewers, cores=self.stage.cores, settle_s=_SETTLE_S
            ) as client,
        ):
            return Measured([_measure(server, client, task, self._seconds, say)])

    def text(self, rows: Sequence[LongRun]) -> str:
        return summaries.long_run(rows)


def _measure(server: Framebus, client: Viewers, task: Task, seconds: float, say: Say) -> LongRun:
    groups = {"web": server.serving(), "daemon": server.capturing(), "client": {client.pid}}
    workers = sorted(server.workers())
    before_ns = {name: cpu.times_ns(pids)[0] for name, pids in groups.items()}
    frames, before, began = server.daemon.frames(), _memory(workers), time.monotonic()
    client.measure()
    while (left := began + seconds - time.monotonic()) > 0:
        held = ", ".join(f"{mib:.1f}" for mib, _ in _memory(workers))
        say(f"{time.monotonic() - began:5.0f} s  the workers hold {held} MiB")
        time.sleep(min(_EVERY_S, left))
    report, wall_s = client.report(), time.monotonic() - began
    spent_ns = {name: cpu.times_ns(pids)[0] - before_ns[name] for name, pids in groups.items()}
    return LongRun.of(
        report,
        size=str(task.size),
        frame_bytes=tools.mean_frame_bytes(task.clip),
        percent={name: ns / wall_s / 1e7 for name, ns in spent_ns.items()},
        frames=frame_counts(frames, server.daemon.frames()),
        before=before,
        after=_memory(workers),
    )


def _memory(pids: Iterable[int]) -> list[tuple[float, float]]:
    """Return what each process holds in memory, and how much of that is its own, MiB."""
    found = []
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            raise BenchError(f"worker {pid} ended while it was measured: run it again") from None
        fields = dict(line.split(":", 1) for line in text.splitlines())
        if not fields.keys() >= {"VmRSS", "RssAnon"}:
            raise BenchError(f"worker {pid} died while it was measured: run it again")
        held, own = (int(fields[key].split()[0]) / 1024 for key in ("VmRSS", "RssAnon"))
        found.append((held, own))
    return found
