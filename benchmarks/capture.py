"""What the capture daemon costs when it passes a camera's MJPEG through, with and without readers.

The camera is the stand-in for V4L2 (v4l2_shim.c), whose copying of each picture counts as the
daemon's. Readers are `framebus.FrameReader`s, all in one process on another core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import closing

from benchmarks import cpu, summaries, tools
from benchmarks.framebus_server import Daemon
from benchmarks.part import Measured, Part, Say, Stage
from benchmarks.program import Program
from benchmarks.results import CaptureRow
from benchmarks.task import Task

_READERS = """
import sys, threading
from framebus import FrameReader

def read(first):
    with FrameReader() as reader:
        next(iter(reader))
        first.release()
        for _ in reader:
            pass

started = threading.Semaphore(0)
count = int(sys.argv[1])
for _ in range(count):
    threading.Thread(target=read, args=(started,), daemon=True).start()
for _ in range(count):
    started.acquire()
print("reading", flush=True)
sys.stdin.read()
"""
_COUNTS = (0, 1, 32)
_START_S = 30.0


class Capture(Part[CaptureRow]):
    """The daemon alone."""

    name = "capture"
    kind = CaptureRow
    file = "bench-capture.json"

    def __init__(self, stage: Stage, *, sizes: Sequence[tools.Size]) -> None:
        super().__init__(stage)
        self._sizes = sizes

    def measure(self, say: Say) -> Measured[CaptureRow]:
        rows = []
        for size in self._sizes:
            task = self.stage.task(size, (self.stage.server_core,))
            runs: dict[int, list[tuple[float, float]]] = {count: [] for count in _COUNTS}
            for _ in range(self.stage.rounds):
                for count in _COUNTS:
                    whole, busiest = _percent(task, count, self.stage)
                    runs[count].append((whole, busiest))
                    say(f"{size}, {count} readers: the daemon takes {whole:.2f} % of a core")
            rows += [CaptureRow.of(str(size), count, rounds) for count, rounds in runs.items()]
        return Measured(rows)

    def text(self, rows: Sequence[CaptureRow]) -> str:
        return summaries.capture(rows)


def _percent(task: Task, readers: int, stage: Stage) -> tuple[float, float]:
    """Return what the daemon takes of a core, and its busiest thread alone, per cent."""
    with (
        closing(Daemon(task)) as daemon,
        Program(
            [sys.executable, "-c", _READERS, str(max(readers, 1))],
            cores=(stage.client_core,),
            environ={"FRAMEBUS_RUNTIME_DIR": str(daemon.runtime)},
        ) as program,
    ):
        program.listen(_START_S)  # so there are frames
        if not readers:
            program.close()
        pids = cpu.family(daemon.program.pid)
        before, began = cpu.threads_ns(pids), time.monotonic()
        time.sleep(stage.seconds)
        after, wall_s = cpu.threads_ns(pids), time.monotonic() - began
    spent = [ran - before.get(thread, (0, 0))[0] for thread, (ran, _) in after.items()]
    return sum(spent) / wall_s / 1e7, max(spent) / wall_s / 1e7
