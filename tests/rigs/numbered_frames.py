"""Numbered frames without a daemon, from a thread: each proves that it arrived whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from framebus.frame import FrameFlags

from tests.rigs.bus import Bus

INTERVAL_S = 0.02


def picture(number: int) -> bytes:
    """What stands in for the JPEG of frame `number`: marked ends, and 20 kB between."""
    return b"\xff\xd8" + b"frame %06d " % number * 1500 + b"\xff\xd9"


@contextmanager
def publishing(
    runtime: Path,
    jpeg: Callable[[int], bytes] = picture,
    flags: FrameFlags = FrameFlags.NONE,
) -> Iterator[None]:
    """Publish `jpeg(sequence)` as the default camera's frames, fifty a second."""
    bus = Bus(runtime, fps=1 / INTERVAL_S)
    stop = threading.Event()

    def publish() -> None:
        while not stop.wait(INTERVAL_S):
            bus.publish(jpeg(bus.writer.cursor + 1), flags=flags)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        bus.close()
