"""Starts processes that hold a device, and ends them with the test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.processes import threads
from tests.helpers.waiting import until

TREE = Path(__file__).parents[2]


@contextmanager
def holding(how: str, path: str, *, wrapper: Sequence[str] = (), script: str = "") -> Iterator[int]:
    """Have another process hold the device at `path`; gives its pid.

    `script` stands in for tests/programs/holder_program.py, to hold it in another way.
    """
    program = ["-c", script] if script else ["-m", "tests.programs.holder_program"]
    process = subprocess.Popen(
        [*wrapper, sys.executable, *program, how, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=TREE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        if how == "dead-leader":
            until(lambda: threads(process.pid)[process.pid] == "Z", what="a dead leader")
        yield process.pid
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()
