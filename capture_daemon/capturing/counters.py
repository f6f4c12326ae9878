"""Counts what became of every frame. The capture thread writes, the main thread reads.

Every frame that a source gave ends in exactly one place: published, or rejected for one reason.
Time comes in as an argument.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framebus.contract.words import Rejection

_RATE_FRAMES = 61
_RATE_WINDOW_NS = 5_000_000_000
_SILENT_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class FrameCounts:
    """A consistent view: captured == published + sum(rejected.values())."""

    captured: int
    published: int
    rejected: Mapping[Rejection, int]
    missed: int
    """Gaps in the device's own sequence: frames that never reached us."""
    newest_ns: int
    """When the newest valid frame was captured, CLOCK_MONOTONIC nanoseconds; 0 if none yet."""
    fps: float | None
    """Valid frames a second, measured over the last frames; it falls while none come. None while
    it is not known."""


class FrameCounters:
    """Thread-safe counters of one daemon's life; sessions do not reset them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._captured = 0
        self._published = 0
        self._rejected: Counter[Rejection] = Counter()
        self._missed = 0
        self._newest_ns = 0
        self._arrived_ns = 0
        self._rejected_since: Counter[Rejection] = Counter()
        self._stamps: deque[int] = deque(maxlen=_RATE_FRAMES)
        self._device_sequence: int | None = None

    def begin_session(self) -> None:
        """Forget where the device's sequence and the rate were: a new stream counts anew."""
        with self._lock:
            self._device_sequence = None
            self._stamps.clear()
            self._rejected_since.clear()

    def record(
        self,
        *,
        device_sequence: int,
        captured_ns: int,
        now_ns: int,
        rejected_for: Rejection | None,
        valid: bool = False,
    ) -> None:
        """Account for one frame that arrived at `now_ns`: published, or rejected for a reason.

        `valid`: nothing was wrong with a rejected frame itself, so that its source is well.
        """
        with self._lock:
            self._captured += 1
            last = self._device_sequence
            if last is not None and device_sequence > last + 1:
                self._missed += device_sequence - last - 1
            self._device_sequence = device_sequence
            if rejected_for is not None:
                self._rejected[rejected_for] += 1
            else:
                self._published += 1
            if rejected_for is not None and not valid:
                self._rejected_since[rejected_for] += 1
                return
            self._arrived_ns = now_ns
            self._rejected_since.clear()
            self._newest_ns = captured_ns
            self._stamps.append(captured_ns)

    def counts(self, now_ns: int) -> FrameCounts:
        """Return the counts; `now_ns` (CLOCK_MONOTONIC) decides whether the rate still holds."""
        with self._lock:
            return FrameCounts(
                captured=self._captured,
                published=self._published,
                rejected=dict(self._rejected),
                missed=self._missed,
                newest_ns=self._newest_ns,
                fps=self._fps(now_ns),
            )

    def arrived_ns(self) -> int:
        """Return when the newest valid frame reached us, CLOCK_MONOTONIC; 0 if none yet."""
        with self._lock:
            return self._arrived_ns

    def rejected_since(self) -> list[Rejection]:
        """Return for what frames of this session were rejected since its newest valid one.

        The most frequent reason comes first.
        """
        with self._lock:
            return [reason for reason, _ in self._rejected_since.most_common()]

    def rate(self) -> float:
        """Return the valid frames a second while they came, 0 if unknown; a silence is left out."""
        with self._lock:
            return _rate(self._stamps, 0)

    def _fps(self, now_ns: int) -> float | None:
        recent = [stamp for stamp in self._stamps if now_ns - stamp < _RATE_WINDOW_NS]
        if len(recent) < 2 and len(self._stamps) > 1:
            return self._slow_fps(now_ns)
        return (_rate(recent, now_ns - recent[-1]) or None) if recent else None

    def _slow_fps(self, now_ns: int) -> float | None:
        """Return the rate of frames so far apart that the window holds none or one of them."""
        before, newest = self._stamps[-2], self._stamps[-1]
        silence_ns = now_ns - newest
        if silence_ns > _SILENT_INTERVALS * (newest - before):
            return None
        return _rate((before, newest), silence_ns)


def _rate(stamps: Sequence[int], silence_ns: int) -> float:
    if len(stamps) < 2 or stamps[-1] <= stamps[0]:
        return 0.0
    span_ns = stamps[-1] - stamps[0]
    intervals = len(stamps) - 1
    if silence_ns > 2 * span_ns / intervals:
        span_ns += silence_ns
    return intervals * 1e9 / span_ns
