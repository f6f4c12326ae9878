"""How many descriptors this process has, without those that nobody holds any more; and none."""

from __future__ import annotations

import gc
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager


def opened() -> int:
    """Count them, once what earlier tests left to the garbage collector is gone.

    Mapped memory has a descriptor of its own, and may go at any moment.
    """
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@contextmanager
def none_left() -> Iterator[None]:
    """Have this process get no more descriptors: whatever opens a file fails with EMFILE."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)  # the lowest that is free: all below are taken
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
