"""What the parts beside the grid measure. Pure: no process, no file, no clock."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import Report, percentile


@dataclass(frozen=True, slots=True)
class CaptureRow:
    """What the daemon takes of a core with some readers, medians over the rounds, per cent."""

    size: str
    readers: int
    core_percent: float
    capture_percent: float
    """Its busiest thread alone."""
    least_percent: float
    most_percent: float
    """The rounds with the smallest and the largest `core_percent`."""

    @classmethod
    def of(cls, size: str, readers: int, rounds: list[tuple[float, float]]) -> CaptureRow:
        """Sum up rounds of (whole daemon, busiest thread)."""
        whole, capture = zip(*rounds, strict=True)
        return cls(
            size=size,
            readers=readers,
            core_percent=statistics.median(whole),
            capture_percent=statistics.median(capture),
            least_percent=min(whole),
            most_percent=max(whole),
        )


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What the daemon takes with one kind of source, nobody reading; medians over the rounds."""

    size: str
    source: str
    frame_us: float
    """Processor time of the daemon a frame, µs."""
    core_percent: float
    child_percent: float
    """The same of the source's child processes."""
    to_v4l2: float
    """The daemon's time a frame over that with the stand-in camera in the same round,"""
    least: float
    most: float
    """and the rounds with the smallest and the largest of these."""

    @classmethod
    def of(
        cls, size: str, source: str, rounds: list[tuple[float, float, float]], base: list[float]
    ) -> SourceRow:
        """Sum up rounds of (µs a frame, daemon %, children %); `base` are v4l2's µs a frame."""
        frame_us, core, child = zip(*rounds, strict=True)
        ratios = [us / camera_us for us, camera_us in zip(frame_us, base, strict=True)]
        return cls(
            size=size,
            source=source,
            frame_us=statistics.median(frame_us),
            core_percent=statistics.median(core),
            child_percent=statistics.median(child),
            to_v4l2=statistics.median(ratios),
            least=min(ratios),
            most=max(ratios),
        )


@dataclass(frozen=True, slots=True)
class WorkersRound:
    """One worker, then two with twice the viewers, and as many floors with as many viewers.

    Processor times per delivered frame, µs.
    """

    viewers: int
    """Of the one worker."""
    one_us: float
    one_fps: float
    """Mean over the viewers."""
    two_us: float
    two_fps: float
    shares: list[float]
    """How much of the web tier's work each of the two workers did, the busier first; 0 to 1."""
    one_floor_us: float
    two_floors_us: float

    @property
    def times(self) -> float:
        """How many times the viewers of one worker two can carry, by what a frame costs each."""
        return 2 * self.one_us / self.two_us

    @property
    def floors_times(self) -> float:
        """The same of floors: what the machine allows."""
        return 2 * self.one_floor_us / self.two_floors_us


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """What one process of a server takes, medians over the rounds, MiB of PSS."""

    server: str
    process: str
    pss: float
    ring: float
    """What of it is the ring."""


@dataclass(frozen=True, slots=True)
class LongRun:
    """Many viewers at once, for long. Memory in MiB, worker by worker."""

    viewers: int
    size: str
    frame_bytes: int
    elapsed_s: float
    fps_median: float
    fps_min: float
    age_p50_ms: float | None
    age_p99_ms: float | None
    bytes_per_s: float
    broken: int
    backwards: int
    placeholders: int
    closed: int
    web_percent: float
    """Arbiter and workers together; each of these is a share of one core."""
    daemon_percent: float
    client_percent: float
    captured: int
    published: int
    missed: int
    rejected: int
    """Frames of the daemon, for any reason."""
    held_before: list[float]
    held_after: list[float]
    """Resident set size."""
    own_before: list[float]
    own_after: list[float]
    """Of it anonymous memory: what is not the ring, nor a file."""

    @classmethod
    def of(
        cls,
        report: Report,
        *,
        size: str,
        frame_bytes: int,
        percent: Mapping[str, float],
        frames: Mapping[str, int],
        before: list[tuple[float, float]],
        after: list[tuple[float, float]],
    ) -> LongRun:
        """Put together what viewers got, and what it cost.

        `percent` is for web, daemon and client; `frames` what `frame_counts` gives; `before` and
        `after` are the memory of each worker, held and own.
        """
        rates = [count / report.elapsed_s for count in report.parts]
        return cls(
            viewers=len(rates),
            size=size,
            frame_bytes=frame_bytes,
            elapsed_s=report.elapsed_s,
            fps_median=statistics.median(rates),
            fps_min=min(rates),
            age_p50_ms=percentile(report.ages_ms, 0.50),
            age_p99_ms=percentile(report.ages_ms, 0.99),
            bytes_per_s=report.bytes / report.elapsed_s,
            broken=report.broken,
            backwards=report.backwards,
            placeholders=report.placeholders,
            closed=report.closed,
            web_percent=percent["web"],
            daemon_percent=percent["daemon"],
            client_percent=percent["client"],
            captured=frames["captured"],
            published=frames["published"],
            missed=frames["missed"],
            rejected=frames["rejected"],
            held_before=[held for held, _ in before],
            held_after=[held for held, _ in after],
            own_before=[own for _, own in before],
            own_after=[own for _, own in after],
        )


def frame_counts(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, int]:
    """Return what was counted between two answers of the daemon's `status`, member `frames`."""
    counts = {name: after[name] - before[name] for name in ("captured", "published", "missed")}
    rejected = sum(after["rejected"].values()) - sum(before["rejected"].values())
    return {**counts, "rejected": rejected}
