"""What was typed is overwritten where `ps` reads it, and nothing beside it."""

from __future__ import annotations

import subprocess
import sys

import pytest

SHOW = """
import sys
from framebus.cli.arguments import hide_sources
hide_sources(sys.argv[2], sys.argv[3].partition("=")[2] or None)
print(open("/proc/self/cmdline").read().rstrip("\\0").replace("\\0", " ").rpartition(" up ")[2])
print(sys.argv[2])
"""


@pytest.mark.parametrize(
    ("source", "other", "shown"),
    [
        ("http://me:pw@h/", "--x", "http:********** --x"),
        ("ffmpeg:-i x", "source=a:b", "ffmpeg:**** source=a:*"),
        ("http:p", "http:pp", "http:* http:pp"),
        ("schlüssel", "x", "********** x"),
        ("v4l2:/dev/video0", "x", "v4l2:/dev/video0 x"),
        ("file:/clips/a.avi", "x", "file:/clips/a.avi x"),
        ("test", "test", "test test"),
    ],
)
def test_a_typed_source_is_overwritten_behind_its_kind(source: str, other: str, shown: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW, "up", source, other],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.splitlines() == [shown, source]
