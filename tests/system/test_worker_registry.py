"""Which workers live, between processes: who ended in good order, and who was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from web_workers.handover.worker_registry import WorkerRegistry, WorkerState
from web_workers.worker_table import WorkerTable, create_memory

# A worker of the age that it is given, that does what it is told line by line.
WORKER = """
import sys
from web_workers.handover.worker_registry import WorkerRegistry, WorkerState
from web_workers.worker_table import WorkerTable
fd, age = map(int, sys.argv[1:])
table = WorkerTable(fd)
row = table.claim()
WorkerRegistry(table).enter(age)
registry = WorkerRegistry(WorkerTable(fd, row=row))  # as new code does that was read after that
registry.enter(age)
print(flush=True)
for line in sys.stdin:
    word, number = line.split()
    {"tell": lambda n: registry.tell(WorkerState(n)), "has": registry.has, "seen": registry.seen,
     "lose": lambda n: registry.lose()}[word](int(number))
    print(flush=True)
"""


class Worker:
    def __init__(self, fd: int, age: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(fd), str(age)],
            pass_fds=[fd],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._answer()

    def _answer(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "\n"

    def do(self, word: str, number: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word} {number}\n")
        self._answer()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


class Bench:
    """The memory, as a worker sees it that has no row itself."""

    def __init__(self) -> None:
        self.fd = create_memory()
        self.table = WorkerTable(self.fd)
        self.registry = WorkerRegistry(self.table)
        self.workers: list[Worker] = []

    def worker(self, age: int) -> Worker:
        self.workers.append(Worker(self.fd, age))
        return self.workers[-1]

    def rows(self) -> list[tuple[int, WorkerState, int]]:
        return [(peer.age, peer.state, peer.viewers) for peer in self.registry.peers()]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    for worker in bench.workers:
        worker.kill()
    os.close(bench.fd)


def test_workers_see_each_other_and_what_each_has(bench: Bench) -> None:
    first, second = bench.worker(1), bench.worker(2)
    assert bench.rows() == [(1, WorkerState.BOOTING, 0), (2, WorkerState.BOOTING, 0)]
    first.do("tell", WorkerState.SERVING)
    first.do("has", 250)
    second.do("seen", 4711)
    assert bench.rows() == [(1, WorkerState.SERVING, 250), (2, WorkerState.BOOTING, 0)]
    assert [peer.seen_ns for peer in bench.registry.peers()] == [0, 4711]
    assert [peer.pid for peer in bench.registry.peers()] == [
        worker.process.pid for worker in bench.workers
    ]
    assert bench.registry.lost() == 0


def test_a_worker_that_was_killed_while_it_was_started_has_lost_nobody(bench: Bench) -> None:
    bench.worker(1).kill()
    assert bench.registry.lost() == 0
    bench.worker(2)
    assert bench.registry.lost() == 0


def test_a_killed_worker_is_gone_and_has_lost_its_viewers_once(bench: Bench) -> None:
    first, _ = bench.worker(1), bench.worker(2)
    first.do("tell", WorkerState.SERVING)
    first.kill()
    assert bench.rows() == [(2, WorkerState.BOOTING, 0)]
    assert bench.registry.lost() == 1
    third = bench.worker(3)  # has the dead one's row now
    assert bench.rows() == [(3, WorkerState.BOOTING, 0), (2, WorkerState.BOOTING, 0)]
    assert bench.registry.lost() == 1
    third.do("tell", WorkerState.ENDING)
    third.do("lose", 0)
    assert bench.registry.lost() == 2
    third.kill()
    assert bench.registry.lost() == 3


def test_a_worker_that_ended_in_good_order_has_lost_nobody(bench: Bench) -> None:
    first = bench.worker(1)
    first.do("tell", WorkerState.OVER)
    assert bench.rows() == []
    first.kill()
    bench.worker(2)
    assert bench.registry.lost() == 0


def test_the_master_tells_whom_it_has_started(bench: Bench) -> None:
    assert bench.registry.newest_age == 0
    bench.table.started(7)
    assert WorkerRegistry(WorkerTable(bench.fd)).newest_age == 7
