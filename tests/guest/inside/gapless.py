"""That no picture of a camera is lost while its daemon changes: by the camera's own numbers."""

from __future__ import annotations

from collections.abc import Callable

from framebus.frame import Frame
from framebus.reader import FrameReader

from tests.guest.camera.pictures import read_stamp

LIMIT_S = 60.0


def frames(reader: FrameReader, count: int) -> list[Frame]:
    """The next frames."""
    return [reader.next(LIMIT_S) for _ in range(count)]


def goes_on_without_a_gap(reader: FrameReader, interrupt: Callable[[], object]) -> None:
    """Interrupt the daemon; `reader`, which reads every frame, must miss none up to the next one's.

    Neither in the camera's own count nor in the driver's nor in the ring's, and in order.
    """
    seen = frames(reader, 1)
    before = reader.epochs
    interrupt()
    while reader.epochs == before:
        seen += frames(reader, 1)
    seen += frames(reader, 2)
    for numbers in (
        [read_stamp(frame.jpeg).counter for frame in seen],
        [frame.sequence for frame in seen],
        [frame.device_sequence for frame in seen],
    ):
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    times = [frame.captured_ns for frame in seen]
    assert times == sorted(times)
