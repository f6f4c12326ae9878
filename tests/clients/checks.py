"""What more than one file here wants to see of a client."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from framebus import FrameReader

from tests.clients import page
from tests.clients.conftest import SIZE
from tests.programs.nginx import free_port

LIMIT_S = 50


def need(words: list[str]) -> None:
    """Leave a test out where its client, or a part of it, is missing."""
    missing = words[0] != "framebus" and shutil.which(words[0]) is None
    if not missing and words[0] == "gst-launch-1.0":
        elements = [words[at] for at in range(1, len(words)) if words[at - 1] in (words[0], "!")]
        inspected = [["gst-inspect-1.0", "--exists", element] for element in elements]
        missing = any(subprocess.run(each, timeout=LIMIT_S).returncode for each in inspected)
    if missing:
        pytest.skip(f"not installed: {words[0]} (tests/setup_system.py, as root on Debian)")


def serves(words: list[str], directory: Path, runtime: Path) -> None:
    """Another framebus passes frames on, in their order."""
    at = words.index("--bind") + 1
    command = [sys.executable, "-m", *words[:at], f"127.0.0.1:{free_port()}", *words[at + 1 :]]
    up = subprocess.Popen(command, cwd=Path(page.__file__).parents[2])
    try:
        with FrameReader(runtime=runtime) as reader:
            frames = [reader.next(LIMIT_S) for _ in range(10)]
    finally:
        up.terminate()
        up.wait(30)
    numbers = [frame.device_sequence for frame in frames]
    assert numbers == sorted(set(numbers))
    assert {f"{frame.width}x{frame.height}" for frame in frames} == {SIZE}
