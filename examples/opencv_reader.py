"""Frames of a camera as OpenCV pictures: prints each one's mean brightness and age.

    python examples/opencv_reader.py --count 10

Needs a camera that is served (`framebus up --source test`) and opencv-python or
opencv-python-headless. A slow loop gets the newest frame each time, not a queue of old ones; it may
run beside any number of viewers, and goes on by itself when the capture daemon is restarted.
"""

from __future__ import annotations

import argparse
import contextlib

import cv2
import numpy as np
from framebus import Frame, FrameReader


def brightness(frame: Frame) -> float:
    """Return the mean of the picture's grey values, 0 to 255."""
    picture = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"frame {frame.sequence} is no picture that OpenCV can decode")
    return float(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).mean())


def main() -> None:
    """Print a line for each frame until --count of them are done, or until Ctrl-C."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--name", default="camera", help="the camera's name")
    options.add_argument("--count", type=int, default=0, help="end after so many frames; 0: never")
    options.add_argument("--timeout", type=float, help="seconds to wait for each frame")
    chosen = options.parse_args()
    with FrameReader(chosen.name) as reader:
        with contextlib.suppress(KeyboardInterrupt):
            while not chosen.count or reader.delivered < chosen.count:
                frame = reader.next(chosen.timeout)
                print(
                    f"frame {frame.sequence}: {frame.width}x{frame.height}, "
                    f"brightness {brightness(frame):.1f}, {frame.age_s * 1000:.1f} ms old"
                )
        print(f"{reader.delivered} delivered, {reader.skipped} skipped for newer ones")


if __name__ == "__main__":
    main()
