"""Counts what became of every frame. The capture thread writes, the main thread reads.

Every frame that a source gave ends in exactly one place: published, or rejected for one reason.
Time comes in as an argument. What is counted of published frames is in `InputState`: the fast path
counts there too.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from framebus.contract.words import Rejection

from capture_daemon.native.state import STAMPS, InputState

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

    def __init__(
        self,
        state: InputState | None = None,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        """Count in `state`, under its lock."""
        self._state = InputState() if state is None else state
        self._lock = threading.Lock() if lock is None else lock
        self._rejected: Counter[Rejection] = Counter()
        self._rejected_since: Counter[Rejection] = Counter()
        self._since_valid = 0  # the valid frame after which those were rejected

    def begin_session(self) -> None:
        """Forget where the device's sequence and the rate were: a new stream counts anew."""
        with self._lock:
            self._state.next_sequence = self._state.stamped = 0
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
        state = self._state
        with self._lock:
            state.captured += 1
            expected = state.next_sequence
            if expected and device_sequence > expected:
                state.missed += device_sequence - expected
            state.next_sequence = device_sequence + 1
            if rejected_for is not None:
                self._rejected[rejected_for] += 1
            else:
                state.published += 1
            if rejected_for is not None and not valid:
                self._count_since(rejected_for)
                return
            state.valid += 1
            state.arrived_ns = now_ns
            state.newest_ns = captured_ns
            state.stamps[state.stamped % STAMPS] = captured_ns
            state.stamped += 1

    def _count_since(self, reason: Rejection) -> None:
        if self._since_valid != self._state.valid:
            self._rejected_since.clear()
            self._since_valid = self._state.valid
        self._rejected_since[reason] += 1

    def counts(self, now_ns: int) -> FrameCounts:
        """Return the counts; `now_ns` (CLOCK_MONOTONIC) decides whether the rate still holds."""
        state = self._state
        with self._lock:
            rejected = dict(self._rejected)
            if state.unwatched:  # the fast path's
                rejected["unwatched"] = rejected.get("unwatched", 0) + state.unwatched
            return FrameCounts(
                captured=state.captured,
                published=state.published,
                rejected=rejected,
                missed=state.missed,
                newest_ns=state.newest_ns,
                fps=_fps(self._stamps(), now_ns),
            )

    def arrived_ns(self) -> int:
        """Return when the newest valid frame reached us, CLOCK_MONOTONIC; 0 if none yet."""
        return self._state.arrived_ns

    def rejected_since(self) -> list[Rejection]:
        """Return for what frames of this session were rejected since its newest valid one.

        The most frequent reason comes first.
        """
        with self._lock:
            return self._rejected_lately()

    def rate(self) -> float:
        """Return the valid frames a second while they came, 0 if unknown; a silence is left out."""
        with self._lock:
            return self._measured()

    def lately(self) -> tuple[int, float, list[Rejection]]:
        """Return `arrived_ns`, `rate` and `rejected_since` of one moment."""
        with self._lock:
            return self._state.arrived_ns, self._measured(), self._rejected_lately()

    def _rejected_lately(self) -> list[Rejection]:
        if self._since_valid != self._state.valid:
            return []
        return [reason for reason, _ in self._rejected_since.most_common()]

    def _measured(self) -> float:
        state = self._state
        stamps, end = state.stamps, state.stamped
        kept = min(end, STAMPS)
        if kept < 2:
            return 0.0
        span_ns: int = stamps[(end - 1) % STAMPS] - stamps[(end - kept) % STAMPS]
        return (kept - 1) * 1e9 / span_ns if span_ns > 0 else 0.0

    def _stamps(self) -> list[int]:
        """Return when the last frames were captured, the oldest first."""
        stamps, end = self._state.stamps[:], self._state.stamped
        return stamps[:end] if end <= STAMPS else stamps[end % STAMPS :] + stamps[: end % STAMPS]


def _fps(stamps: Sequence[int], now_ns: int) -> float | None:
    recent = [stamp for stamp in stamps if now_ns - stamp < _RATE_WINDOW_NS]
    if len(recent) < 2 and len(stamps) > 1:
        return _slow_fps(stamps, now_ns)
    return (_rate(recent, now_ns - recent[-1]) or None) if recent else None


def _slow_fps(stamps: Sequence[int], now_ns: int) -> float | None:
    """Return the rate of frames so far apart that the window holds none or one of them."""
    before, newest = stamps[-2], stamps[-1]
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
