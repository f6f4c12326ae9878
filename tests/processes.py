"""What tests ask about processes that they started."""

from __future__ import annotations

import os
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def children(pid: int) -> list[int]:
    """The process ids of the living and dead-but-unreaped children of a process."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        text = Path(f"/proc/{pid}/task/{task}/children").read_text()
        found += [int(word) for word in text.split()]
    return found


def threads(pid: int) -> dict[int, str]:
    """The threads of a process by their ids, each with its state's letter."""
    return {
        int(tid): Path(f"/proc/{pid}/task/{tid}/stat").read_text().rpartition(")")[2].split()[0]
        for tid in os.listdir(f"/proc/{pid}/task")
    }
