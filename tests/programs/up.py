"""A `framebus up` that a test starts, with the real daemon and the real web tier."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.helpers.processes import children
from tests.helpers.waiting import until

TEST = ("--source", "test", "--size", "320x240", "--fps", "25", "--workers", "1")


class Up:
    """One running `framebus up`; its output goes to files, so that no pipe can fill."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.output, self.errors = directory / "output", directory / "errors"
        with self.output.open("w") as out, self.errors.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "framebus", "up", *arguments],
                stdout=out,
                stderr=err,
                process_group=0,
            )

    def url(self) -> str:
        """Waits until the page's URL is printed."""
        return until(self._greeting, within_s=30, what="the greeting")[0]

    def _greeting(self) -> list[str]:
        return self.printed(r"at (http://\S+/)\n")

    def printed(self, pattern: str) -> list[Any]:
        """What it has printed so far of this pattern."""
        assert self.process.poll() is None, self.errors.read_text()
        return re.findall(pattern, self.output.read_text())

    def family(self) -> list[int]:
        """Every process below it."""
        found = children(self.process.pid)
        return found + [pid for child in found for pid in children(child)]


def refuse(start: Callable[..., Up], *arguments: str) -> tuple[int, str]:
    """Starts an `up` that must end by itself; returns its exit code and what it said."""
    up = start(*arguments)
    code = up.process.wait(30)
    return code, up.errors.read_text()
