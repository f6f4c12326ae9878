"""What tests ask about processes that they started."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def name_of(pid: int) -> str:
    """What the kernel calls a process (its program's first 15 letters); "" once it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def descriptors_of(path: Path) -> list[str]:
    """The descriptors of a file that processes have, as their links in /proc."""
    found = []
    for folder in (f"/proc/{pid}/fd" for pid in os.listdir("/proc") if pid.isdigit()):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is another user's
            for fd in os.listdir(folder):
                with contextlib.suppress(OSError):
                    if os.readlink(link := f"{folder}/{fd}") == str(path):
                        found.append(link)
    return found


def children(pid: int) -> list[int]:
    """The process ids of the living and dead-but-unreaped children of a process, in order."""
    return sorted(
        int(word) for text in _of_threads(pid, "children").values() for word in text.split()
    )


def threads(pid: int) -> dict[int, str]:
    """The threads of a process by their ids, each with its state's letter."""
    return {
        tid: text.rpartition(")")[2].split()[0] for tid, text in _of_threads(pid, "stat").items()
    }


def _of_threads(pid: int, name: str) -> dict[int, str]:
    """One /proc file of every thread, read while all of them lived.

    When a thread ends its children pass to another one, perhaps one that was read before: then
    all of them are read anew.
    """
    folder = Path(f"/proc/{pid}/task")
    while True:
        try:
            return {int(tid): (folder / tid / name).read_text() for tid in os.listdir(folder)}
        except (FileNotFoundError, ProcessLookupError):
            os.stat(folder)  # raises for a process that is no more
