"""Programs that people watch with, each on a real `framebus up`."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from framebus import FrameReader

from benchmarks import tools
from benchmarks.peers import Ustreamer
from benchmarks.task import Task
from tests.daemons import DaemonProcess
from tests.multipart import Parser
from tests.waiting import until

SIZE = tools.Size(640, 360)


def need(*programs: str) -> None:
    """Leave a test out where its client is missing."""
    absent = [name for name in programs if shutil.which(name) is None]
    if absent:
        pytest.skip(f"not installed: {absent} (python tests/setup_system.py, as root on Debian)")


@pytest.fixture
def base(runtime: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a web tier that shows the test pattern."""
    output = tmp_path / "output"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with output.open("w") as out:
        up = subprocess.Popen(
            [
                *(sys.executable, "-m", "framebus", "up", "--source", "test"),
                *("--size", str(SIZE), "--bind", f"127.0.0.1:{port}"),
            ],
            stdout=out,
        )
    try:
        yield until(lambda: re.findall(r"at (http://\S+)/\n", output.read_text()), within_s=30)[0]
    finally:
        up.terminate()
        up.wait(20)


def test_curl_gets_whole_parts(base: str) -> None:
    need("curl")
    done = subprocess.run(
        ["curl", "--silent", "--max-time", "3", f"{base}/stream"], capture_output=True, timeout=30
    )
    assert done.returncode == 28  # its own time limit: the stream has no end
    assert len(Parser().feed(done.stdout)) > 10


def test_ffmpeg_decodes_the_stream(base: str) -> None:
    need("ffmpeg")
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        f"{base}/stream",
        "-frames:v",
        "20",
        "-f",
        "null",
        "-",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_opencv_decodes_the_stream(base: str) -> None:
    capture = cv2.VideoCapture(f"{base}/stream")
    try:
        for _ in range(10):
            good, picture = capture.read()
            assert good
            assert picture.shape == (SIZE.height, SIZE.width, 3)
    finally:
        capture.release()


def test_clients_of_mjpg_streamer_find_what_they_expect(base: str) -> None:
    need("curl")
    for query, least in (("?action=snapshot", 1), ("?action=stream", 10)):
        done = subprocess.run(
            ["curl", "--silent", "--max-time", "3", f"{base}/{query}"],
            capture_output=True,
            timeout=30,
        )
        assert done.stdout.count(b"\xff\xd8\xff") >= least


def test_another_framebus_reads_the_stream(base: str, runtime: Path) -> None:
    with (
        DaemonProcess(runtime, "--source", f"{base}/stream", name="second"),
        FrameReader("second") as reader,
    ):
        frames = [reader.next(20) for _ in range(10)]
    assert [frame.device_sequence for frame in frames] == sorted(
        {frame.device_sequence for frame in frames}
    )
    assert all((frame.width, frame.height) == (SIZE.width, SIZE.height) for frame in frames)


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
