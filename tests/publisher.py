"""Frames without a daemon: a thread that publishes numbered ones to a ring of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from framebus.frame import FrameFlags
from framebus.names import CameraNames
from framebus.notify import Notifier, own_context
from framebus.ring.writer import RingWriter

INTERVAL_S = 0.02


def picture(number: int) -> bytes:
    """What stands in for the JPEG of frame `number`: marked ends, and 20 kB between."""
    return b"\xff\xd8" + b"frame %06d " % number * 1500 + b"\xff\xd9"


@contextmanager
def publishing(runtime: Path, jpeg: Callable[[int], bytes] = picture) -> Iterator[None]:
    """Publish `jpeg(sequence)` as the default camera's frames, fifty a second."""
    names = CameraNames(runtime)
    context = own_context()
    writer = RingWriter.create(names, capacity=4 << 20)
    notifier = Notifier(context, names)
    stop = threading.Event()

    def publish() -> None:
        while not stop.wait(INTERVAL_S):
            notifier.announce(
                writer.publish(
                    jpeg(writer.cursor + 1),
                    captured_ns=time.monotonic_ns(),
                    captured_utc_ns=time.time_ns(),
                    width=64,
                    height=48,
                    flags=FrameFlags.TEST_PATTERN,
                )
            )

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        notifier.close()
        writer.close()
        context.term()
