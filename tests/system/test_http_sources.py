"""The `http` source on another program's stream."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from framebus import FrameReader

from benchmarks import tools
from benchmarks.peers import Ustreamer
from benchmarks.task import Task
from tests.daemons import DaemonProcess

SIZE = tools.Size(640, 360)


def need(*programs: str) -> None:
    """Leave a test out where its client is missing."""
    absent = [name for name in programs if shutil.which(name) is None]
    if absent:
        pytest.skip(f"not installed: {absent} (python tests/setup_system.py, as root on Debian)")


def test_the_http_source_reads_debians_ustreamer(runtime: Path, tmp_path: Path) -> None:
    need("ustreamer", "ffmpeg", "cc")
    clip = tools.clip(SIZE, tmp_path)
    task = Task(clip=clip, size=SIZE, fps=30, cores=(0,), tools=tmp_path)
    shown = clip.read_bytes()
    ustreamer = Ustreamer(task)
    try:
        url = f"http://127.0.0.1:{ustreamer.port}/stream"
        with DaemonProcess(runtime, "--source", url), FrameReader() as reader:
            frames = [reader.next(20) for _ in range(20)]
    finally:
        ustreamer.close()
    assert all(frame.jpeg in shown for frame in frames), "not byte for byte what ustreamer was fed"
