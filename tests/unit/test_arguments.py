"""What was typed is overwritten where `ps` reads it, and nothing beside it."""

from __future__ import annotations

import subprocess
import sys

import pytest

SHOW = """
import sys
from framebus.invocation.arguments import hide_sources
hide_sources(sys.argv[1:])
print(open("/proc/self/cmdline").read().rstrip("\\0").replace("\\0", " ").rpartition(" go ")[2])
print(*sys.argv[2:])
"""


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("--source http://me:pw@h/ --x", "--source http:********** --x"),
        ("--source=ffmpeg:-i source=a:b", "--source=ffmpeg:** source=a:*"),
        ("--fallback-source http:p http:pp", "--fallback-source http:* http:pp"),
        ("fallback=schlüssel x", "fallback=********** x"),
        ("--source v4l2:/dev/video0", "--source v4l2:/dev/video0"),
        ("--source file:/clips/a.avi", "--source file:/clips/a.avi"),
        ("--source test test", "--source test test"),
        ("--source", "--source"),
    ],
)
def test_a_typed_source_is_overwritten_behind_its_kind(words: str, shown: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW, "go", *words.split()],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.splitlines() == [shown, words]
