"""Compiles the checkout's Python before a guest reads it.

The guest sees the checkout read-only and compiles sixteen times as slowly: without this, each of
its processes would spend seconds on that at every start. What pytest makes of test modules it
keeps itself, unless PYTHONDONTWRITEBYTECODE is set (the Makefile unsets it).
"""

from __future__ import annotations

import compileall
import functools
from pathlib import Path

TREE = Path(__file__).parents[2]
"""The checkout."""
_SOURCES = ("capture_daemon", "shared", "web_workers", "tests")


@functools.cache
def compile_tree() -> None:
    """Compile what is new since the last time; once a process. What cannot be kept is left out."""
    for folder in _SOURCES:
        compileall.compile_dir(TREE / folder, quiet=2)
