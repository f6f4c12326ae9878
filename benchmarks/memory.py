"""What framebus takes of memory: each process of `framebus up`, and ustreamer beside them.

PSS (proc(5), smaps_rollup): of what several processes share each has its part, so that they add up.
The ring is in it, whose size is anybody's choice (--ring-size); clip and buffers of the camera's
stand-in are not. Nobody watches. Modules come from .pyc files, which the first round writes.
"""

from __future__ import annotations

import functools
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from framebus.names import SHARED_MEMORY

from benchmarks import cpu, servers, summaries, tools
from benchmarks.errors import BenchError
from benchmarks.figures import FRAMEBUS
from benchmarks.framebus_up import FramebusUp
from benchmarks.part import Measured, Part, Say
from benchmarks.peers import USTREAMER, Ustreamer
from benchmarks.results import MemoryRow
from benchmarks.task import Task

_Running = AbstractContextManager[Callable[[], Mapping[str, int]]]
"""A running server, which tells of its processes' ids by what each is."""
_SIZE = tools.Size(1280, 720)
_WORKERS = (1, 2)
"""Of the web tier: what small machines have by themselves, and what others have."""
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ .{4} \S+ \S+ \S+ *(.*)$")


class Memory(Part[MemoryRow]):
    """All processes of framebus, one by one."""

    name = "memory"
    kind = MemoryRow
    file = "bench-memory.json"

    @property
    def how(self) -> str:
        return f"{_SIZE}, {self.stage.how}"

    def measure(self, say: Say) -> Measured[MemoryRow]:
        task = self.stage.task(_SIZE, self.stage.cores)
        rows: list[MemoryRow] = []
        for workers in _WORKERS:
            name = f"{FRAMEBUS}, {workers} worker{'s' if workers > 1 else ''}"
            rows += self._rows(name, functools.partial(_up, task, workers), say)
        if reason := servers.missing(USTREAMER):
            say(f"bench: leaving {USTREAMER} out: {reason}")
        else:
            rows += self._rows(USTREAMER, lambda: _ustreamer(task), say)
        return Measured(rows)

    def text(self, rows: Sequence[MemoryRow]) -> str:
        return summaries.memory(rows)

    def _rows(self, server: str, start: Callable[[], _Running], say: Say) -> list[MemoryRow]:
        """Measure in every round; return a row for each process, medians."""
        rounds: list[dict[str, tuple[float, float]]] = []
        for _ in range(self.stage.rounds):
            with start() as find:
                time.sleep(self.stage.seconds)
                rounds.append({name: _pss(pid) for name, pid in find().items()})
            whole = sum(pss for pss, _ in rounds[-1].values())
            say(f"{server}: {len(rounds[-1])} processes, {whole:.1f} MiB")
        if len({tuple(each) for each in rounds}) > 1:
            raise BenchError(f"{server} had other processes each time: look at its log")
        return [
            MemoryRow(server, name, *map(statistics.median, zip(*figures, strict=True)))
            for name, figures in ((name, [each[name] for each in rounds]) for name in rounds[0])
        ]


@contextmanager
def _up(task: Task, workers: int) -> Iterator[Callable[[], Mapping[str, int]]]:
    """Run `framebus up` with so many web workers."""
    with closing(FramebusUp(task, "--workers", str(workers))) as server:
        yield lambda: _processes(server.pid)


@contextmanager
def _ustreamer(task: Task) -> Iterator[Callable[[], Mapping[str, int]]]:
    with closing(Ustreamer(task)) as server:
        yield lambda: {USTREAMER: min(server.serving())}


def _processes(up: int) -> dict[str, int]:
    """Return the process ids of what `framebus up` runs, and its own, by what each is."""
    found = {"up": up}
    for pid in sorted(cpu.family(up) - {up}):
        words = Path(f"/proc/{pid}/cmdline").read_text()
        if "capture_daemon" in words:
            name = "capture daemon"
        else:
            workers = sum(name.startswith("worker") for name in found)
            name = f"worker {workers + 1}" if "gunicorn" in found else "gunicorn"
        found[name] = pid
    return found


def _pss(pid: int) -> tuple[float, float]:
    """Return a process's PSS without the camera's stand-in, and how much of it is the ring, MiB."""
    process = Path(f"/proc/{pid}")
    parts = {"ring": 0, "stand-in": 0}
    part = ""
    for line in (process / "smaps").read_text().splitlines():
        if mapping := _MAPPING.match(line):
            name = mapping[1]
            part = "ring" if name.startswith(f"{SHARED_MEMORY}/framebus-") else ""
            part = "stand-in" if name.endswith(".mjpeg") or "v4l2_shim" in name else part
        elif part and line.startswith("Pss:"):
            parts[part] += int(line.split()[1])
    whole = re.search(r"^Pss: +(\d+) kB$", (process / "smaps_rollup").read_text(), re.MULTILINE)
    if whole is None:
        raise BenchError("this kernel has no PSS: use one with CONFIG_PROC_PAGE_MONITOR=y")
    return (int(whole[1]) - parts["stand-in"]) / 1024, parts["ring"] / 1024
