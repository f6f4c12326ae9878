"""What processes cost, from /proc.

Processor time is the scheduler's own count of nanoseconds on a core
(/proc/PID/task/TID/schedstat: running, waiting to run, and how often; the kernel's
Documentation/scheduler/sched-stats.rst). User and system times are
sampled by the timer tick on many kernels, and a server that wakes with the tick is missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.errors import BenchError

_PROC = Path("/proc")


def family(pid: int) -> frozenset[int]:
    """Return `pid` and all processes that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            try:
                text = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parent = int(text.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = set(), [pid]
    while todo:
        found.add(one := todo.pop())
        todo += children.get(one, [])
    return frozenset(found)


def times_ns(pids: Iterable[int]) -> tuple[int, int]:
    """Return what all threads of these processes spent on a core, and waiting for one, ns.

    Raises:
        BenchError: one of them is gone, or the kernel does not count.
    """
    threads = threads_ns(pids).values()
    return sum(ran for ran, _ in threads), sum(waited for _, waited in threads)


def threads_ns(pids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return the same for each thread, by its id. Raises BenchError likewise."""
    times = {}
    for pid in pids:
        try:
            for thread in (_PROC / str(pid) / "task").iterdir():
                ran, waited, *_ = (thread / "schedstat").read_text().split()
                times[int(thread.name)] = int(ran), int(waited)
        except (FileNotFoundError, ProcessLookupError) as error:
            if not Path("/proc/self/schedstat").exists():
                raise BenchError(
                    "this kernel has no /proc/PID/schedstat: use one with CONFIG_SCHED_INFO=y"
                ) from error
            raise BenchError(
                f"a thread or process of {pid} ended while it was measured: run it again, "
                "and look at the server's log if that repeats"
            ) from error
    return times


def wakeups(pids: Iterable[int]) -> int:
    """Return how often all threads of these processes have slept and been woken up to now.

    voluntary_ctxt_switches of proc(5). Raises BenchError when one of them is gone.
    """
    count = 0
    for pid in pids:
        try:
            for thread in (_PROC / str(pid) / "task").iterdir():
                _, _, rest = (thread / "status").read_text().partition("\nvoluntary_ctxt_switches:")
                count += int(rest.split(maxsplit=1)[0])
        except (FileNotFoundError, ProcessLookupError) as error:
            raise BenchError(f"a thread of {pid} ended while it was measured: again") from error
    return count
