"""A worker table as one process sees it, and as several do that are in this one."""

from __future__ import annotations

import os

from web_workers import worker_table
from web_workers.worker_table import WorkerTable, create_memory


def table() -> WorkerTable:
    """Return the table of one worker, which has claimed its row, and of no other."""
    made = WorkerTable(create_memory())
    made.claim()
    return made


def close(table: WorkerTable) -> None:
    """Close its descriptor; what is mapped goes with the last that has it."""
    os.close(table._fd)


class Workers:
    """Several workers in this process: a row each, and they live as long as the test says so."""

    def __init__(self) -> None:
        self.memory = table()
        self.living: set[int] = set()

    def start(self, row: int) -> WorkerTable:
        """Return the table as the worker sees it that has the row."""
        workers = self

        class Table(WorkerTable):
            def lives(self, row: int, pid: int) -> bool:
                return pid != 0 and row in workers.living

        self.living.add(row)
        claimed = slice(worker_table._CLAIMED, worker_table._CLAIMED + row + 1)
        self.memory._map[claimed] = bytes([1]) * (row + 1)
        return Table(self.memory._fd, row=row)

    def close(self) -> None:
        """Close the memory."""
        close(self.memory)
