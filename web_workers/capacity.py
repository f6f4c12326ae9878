"""How many workers and threads there are when nobody says. Light: gunicorn's master imports it."""

from __future__ import annotations

import os
from typing import Final

THREAD_SLOTS: Final = 48
"""Viewers of one worker that take a thread each (viewers/thread_slots.py)."""
_FEW_CORES: Final = 2
_LITTLE_MEMORY: Final = 1536 << 20  # bytes


def default_workers(cores: int | None = None, memory: int | None = None) -> int:
    """Return how many workers serve when nobody says: one on a small machine, else two.

    Small is one of two cores or fewer, which daemon and clients want as well, or of less than
    1.5 GiB. By default it is this one; `memory` is in bytes.
    """
    if cores is None:
        cores = os.cpu_count() or 1
    if memory is None:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 1 if cores <= _FEW_CORES or memory < _LITTLE_MEMORY else 2
