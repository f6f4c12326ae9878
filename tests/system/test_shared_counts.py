"""What workers count, while they are killed at any moment: nothing is ever taken back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.helpers.waiting import until
from web_workers.counts.shared_counts import SharedCounts
from web_workers.counts.worker_counts import WorkerCounts
from web_workers.worker_table import ROWS, WorkerTable, create_memory

SENT = ("sent", "front", "stream")
OF = ("front", "stream")

# A worker that has sent `step` more with each line it is given, and by itself when given "on".
WORKER = """
import itertools, sys
from web_workers.counts.shared_counts import SharedCounts
from web_workers.counts.worker_counts import WorkerCounts
from web_workers.worker_table import WorkerTable

table = WorkerTable(int(sys.argv[1]))
row = table.claim()
shared = SharedCounts(table)
print(row, flush=True)
padding = {("age", "front", "stream", str(number)): 0 for number in range(200)}
for sent in itertools.count(1):
    if sent == 1 or not going:
        going = next(sys.stdin) == "on\\n"
    shared.write(WorkerCounts({("sent", "front", "stream"): sent, **padding},
                      {("viewers", "front", "stream"): 2, ("waiting", "front", "stream"): 1}))
    if not going:
        print(sent, flush=True)
"""


class Memory:
    def __init__(self) -> None:
        self.fd = create_memory()
        self.shared = SharedCounts(WorkerTable(self.fd))
        self.read = self.shared.read


class Worker:
    def __init__(self, memory: Memory) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(memory.fd)],
            pass_fds=[memory.fd],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.row = int(self._said())

    def _said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def tell(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")

    def step(self) -> None:
        self.tell("step")
        self._said()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def memory() -> Iterator[Memory]:
    memory = Memory()
    yield memory
    os.close(memory.fd)


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    workers: list[Worker] = []
    yield workers
    for worker in workers:
        worker.kill()


def test_what_a_killed_worker_counted_stays_and_its_viewers_are_told_lost(
    memory: Memory, workers: list[Worker]
) -> None:
    workers += [Worker(memory), Worker(memory)]
    assert [worker.row for worker in workers] == [0, 1]
    for worker in (*workers, workers[0]):
        worker.step()
    worker_counts, living = memory.read()
    assert living == 2
    assert worker_counts.counts[SENT] == 3
    assert worker_counts.now["viewers", *OF] == 4
    workers[0].kill()
    worker_counts, living = memory.read()
    assert living == 1
    assert worker_counts.counts[SENT] == 3
    assert worker_counts.counts["closed", *OF, "worker-died"] == 2
    assert worker_counts.counts["skipped", *OF] == 1
    assert worker_counts.now == {("viewers", *OF): 2, ("waiting", *OF): 1}
    workers.append(Worker(memory))
    assert workers[-1].row == 0  # and not a third one
    assert memory.read() == (worker_counts, 2)
    workers[-1].step()
    worker_counts, _ = memory.read()
    assert worker_counts.counts[SENT] == 4
    assert worker_counts.counts["closed", *OF, "worker-died"] == 2


def test_counts_never_fall_while_writers_are_killed_in_the_middle_of_it(
    memory: Memory, workers: list[Worker]
) -> None:
    before = 0
    for _ in range(10):
        worker = Worker(memory)
        workers.append(worker)
        assert worker.row == 0
        worker.tell("on")
        begun = before

        def risen() -> bool:
            nonlocal before
            now = memory.read()[0].counts.get(SENT, 0)
            assert now >= before
            before = now
            return now >= begun + 50  # noqa: B023  called within this round

        until(risen, within_s=30)
        worker.kill()
        risen()


def test_there_are_no_more_workers_than_rows(memory: Memory) -> None:
    code = """
import fcntl, sys
fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX, int(sys.argv[2]), 0)
print("all", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(memory.fd), str(ROWS)],
        pass_fds=[memory.fd],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"all\n"
        with pytest.raises(RuntimeError, match="workers at a time"):
            WorkerTable(memory.fd).claim()
        holder.stdin.close()


def test_counts_that_are_too_long_are_refused_and_the_old_ones_stay(memory: Memory) -> None:
    table = WorkerTable(memory.fd)
    table.claim()
    shared = SharedCounts(table)
    shared.write(WorkerCounts({SENT: 1}))
    with pytest.raises(ValueError, match="bytes of counts"):
        shared.write(WorkerCounts({("x" * 1000, str(number)): 1 for number in range(300)}))
    assert shared.read() == (WorkerCounts({SENT: 1}), 1)
