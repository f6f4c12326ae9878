"""The examples of examples/, run as a person runs them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from tests.rigs.numbered_frames import picture, publishing

OPENCV_READER = Path(__file__).parents[2] / "examples" / "opencv_reader.py"
GREY = 100


def grey(_sequence: int) -> bytes:
    ok, jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), GREY, np.uint8))
    assert ok
    return jpeg.tobytes()


def opencv_reader(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, OPENCV_READER, *arguments], capture_output=True, text=True, timeout=40
    )


def test_opencv_reader_prints_brightness_and_age_of_each_frame(runtime: Path) -> None:
    with publishing(runtime, grey):
        done = opencv_reader("--count", "3", "--timeout", "10")
    assert done.returncode == 0, done.stderr
    *frames, last = done.stdout.splitlines()
    assert len(frames) == 3
    for line in frames:
        found = re.fullmatch(r"frame \d+: 64x48, brightness ([\d.]+), [\d.]+ ms old", line)
        assert found, line
        assert abs(float(found[1]) - GREY) < 2
    assert last.startswith("3 delivered")


def test_opencv_reader_ends_with_its_counts_at_ctrl_c(runtime: Path) -> None:
    with (
        publishing(runtime, grey),
        subprocess.Popen(
            [sys.executable, "-u", OPENCV_READER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"frame ")
        process.send_signal(signal.SIGINT)
        said, complaints = process.communicate(timeout=40)
    assert process.returncode == 0, complaints
    assert complaints == b""
    assert b" delivered, " in said.splitlines()[-1]


def test_opencv_reader_says_so_when_a_frame_is_no_picture(runtime: Path) -> None:
    with publishing(runtime, picture):
        done = opencv_reader("--count", "1", "--timeout", "10")
    assert done.returncode != 0
    assert "is no picture that OpenCV can decode" in done.stderr
