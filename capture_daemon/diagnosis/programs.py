"""Runs another program to hear what it says, with a time limit and in plain English."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program printed and returned."""

    code: int
    output: str
    errors: str = ""


def run(arguments: Sequence[str]) -> Ran | None:
    """Run a program and return what it said; None if it is missing, or takes too long."""
    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            env={**os.environ, "LC_ALL": "C", "SYSTEMD_PAGER": ""},
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Ran(done.returncode, done.stdout, done.stderr)
