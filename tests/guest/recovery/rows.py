"""When a stream counts as back: ten frames in a row. Pure; times are CLOCK_MONOTONIC nanoseconds.

A frame is known by when the driver captured it, since a new daemon may publish it a second time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FRAMES = 10
_LEAST_GAP_S = 1.0
_GAP_INTERVALS = 4


@dataclass(frozen=True, slots=True)
class Published:
    """One frame as the ring had it; only valid ones get there."""

    captured_ns: int
    published_ns: int
    device_sequence: int


@dataclass(frozen=True, slots=True)
class Row:
    """Frames that followed one another without a long gap, up to now."""

    first_ns: int
    """When its first frame was published."""
    tenth_ns: int | None
    """When its tenth was; None while it is shorter."""
    last_ns: int


def gap_limit_ns(fps: float) -> int:
    """Return how far apart two frames of a row may be published, nanoseconds."""
    return int(max(_LEAST_GAP_S, _GAP_INTERVALS / fps) * 1e9)


def last_row(frames: Iterable[Published], *, after_ns: int, fps: float) -> Row | None:
    """Return the newest row among the frames published after `after_ns`; None without any."""
    times = sorted(frame.published_ns for frame in frames if frame.published_ns > after_ns)
    if not times:
        return None
    limit_ns = gap_limit_ns(fps)
    begin = 0
    for at in range(1, len(times)):
        if times[at] - times[at - 1] > limit_ns:
            begin = at
    row = times[begin:]
    return Row(row[0], row[FRAMES - 1] if len(row) >= FRAMES else None, row[-1])


def lost(frames: Iterable[Published], *, since_ns: int) -> int:
    """Return how many numbers of the driver are missing between frames captured since then.

    A number that is not above the one before it begins a new session, and nothing is missing.
    """
    numbers = [
        frame.device_sequence
        for frame in sorted(frames, key=lambda frame: frame.captured_ns)
        if frame.captured_ns >= since_ns
    ]
    return sum(max(0, number - before - 1) for before, number in itertools.pairwise(numbers))


def merged(frames: Iterable[Published]) -> Mapping[int, Published]:
    """Return the frames by capture time; of a frame that came twice, its first publication."""
    found: dict[int, Published] = {}
    for frame in frames:
        known = found.get(frame.captured_ns)
        if known is None or frame.published_ns < known.published_ns:
            found[frame.captured_ns] = frame
    return found
