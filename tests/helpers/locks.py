"""Locks that another process holds, as a camera's daemon does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from framebus.names import CameraNames

HOLD = """
import fcntl, os, sys
shared = "shared" in sys.argv
fd = os.open(sys.argv[1], os.O_RDONLY if shared else os.O_RDWR | os.O_CREAT, 0o640)
fcntl.lockf(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def lock_held(names: CameraNames) -> Iterator[int]:
    """Hold a camera's lock in a process of its own; yields its pid."""
    with lock_held_on(names.lock) as pid:
        yield pid


@contextmanager
def lock_held_on(path: Path, *how: str) -> Iterator[int]:
    """Hold a file, which is made where it is not there, or with "shared" only for reading it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), *how], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield holder.pid
        finally:
            holder.communicate()
