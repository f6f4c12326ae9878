"""What is measured, and the arithmetic on it. Pure: no process, no file, no clock."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.handed import Handed

FRAMEBUS = "framebus"
FLOOR = "floor"
OURS = (FRAMEBUS, FLOOR)
"""What no ratio to framebus is given for."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the load client received in one measurement."""

    elapsed_s: float
    parts: tuple[int, ...]
    """Whole parts, viewer by viewer."""
    bytes: int
    broken: int
    """Parts with a wrong boundary, length, first or last bytes."""
    backwards: int
    """Parts with an older capture time than the one before."""
    placeholders: int
    closed: int
    """Viewers that lost their connection."""
    ages_ms: tuple[tuple[float, int], ...]
    """Histogram of frame ages, upper bound of each bucket and its count, ascending."""

    @classmethod
    def parse(cls, line: str) -> Report:
        """Return what a line of load.c says."""
        told = json.loads(line)
        bucket_ms = told["bucket_us"] / 1000
        return cls(
            elapsed_s=told["elapsed_ns"] / 1e9,
            parts=tuple(told["parts"]),
            bytes=told["bytes"],
            broken=told["broken"],
            backwards=told["backwards"],
            placeholders=told["placeholders"],
            closed=told["closed"],
            ages_ms=tuple(((index + 1) * bucket_ms, count) for index, count in told["ages"]),
        )


def percentile(histogram: Sequence[tuple[float, int]], share: float) -> float | None:
    """Return the value below or at which `share` (0 to 1) of a histogram lies; None if empty."""
    total = sum(count for _, count in histogram)
    passed = 0
    for value, count in histogram:
        passed += count
        if passed >= share * total:
            return value
    return None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One server under one load, once. Times of processors are per delivered frame, µs."""

    server: str
    size: str
    viewers: int
    frame_bytes: int
    parts: int
    cpu_us: float
    """The serving processes: for framebus the web tier, all of gunicorn."""
    daemon_us: float
    """framebus's capture daemon; 0 for programs that have none."""
    core_percent: float
    """How busy the serving processes kept their core."""
    waited_percent: float
    """How long their threads waited for the core: the disturbance by others, and by each other."""
    daemon_percent: float
    client_percent: float
    fps_min: float
    fps_median: float
    age_p50_ms: float | None
    age_p99_ms: float | None
    broken: int
    backwards: int
    placeholders: int
    closed: int
    handed_soon: int | None = None
    """Frames whose last byte was handed to the kernel soon enough (handed.py)."""
    handed_all: int | None = None

    @classmethod
    def of(
        cls,
        report: Report,
        *,
        server: str,
        size: str,
        frame_bytes: int,
        wall_s: float,
        serving_ns: int,
        waiting_ns: int,
        daemon_ns: int,
        client_ns: int,
        handed: Handed | None = None,
    ) -> Measurement:
        """Put together what the client saw and what the processes cost in `wall_s` seconds."""
        parts = sum(report.parts)
        rates = [count / report.elapsed_s for count in report.parts]
        return cls(
            server=server,
            size=size,
            viewers=len(report.parts),
            frame_bytes=frame_bytes,
            parts=parts,
            cpu_us=serving_ns / 1e3 / max(parts, 1),
            daemon_us=daemon_ns / 1e3 / max(parts, 1),
            core_percent=serving_ns / wall_s / 1e7,
            waited_percent=waiting_ns / wall_s / 1e7,
            daemon_percent=daemon_ns / wall_s / 1e7,
            client_percent=client_ns / wall_s / 1e7,
            fps_min=min(rates),
            fps_median=statistics.median(rates),
            age_p50_ms=percentile(report.ages_ms, 0.50),
            age_p99_ms=percentile(report.ages_ms, 0.99),
            broken=report.broken,
            backwards=report.backwards,
            placeholders=report.placeholders,
            closed=report.closed,
            handed_soon=handed.soon if handed else None,
            handed_all=handed.all if handed else None,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One server under one load: medians over the rounds, faults summed."""

    server: str
    size: str
    viewers: int
    frame_bytes: int
    cpu_us: float
    to_floor: float | None
    """Its processor time over the floor's of the same round."""
    to_framebus: float | None
    """Its processor time over framebus's, daemon included, of the same round."""
    core_percent: float
    waited_percent: float
    daemon_percent: float
    client_percent: float
    fps_min: float
    fps_median: float
    age_p50_ms: float | None
    age_p99_ms: float | None
    faults: int
    """Broken parts, parts out of order, placeholders and lost connections."""
    floor_low: float | None = None
    floor_high: float | None = None
    """The rounds with the smallest and the largest ratio to the floor: how sure `to_floor` is."""
    soon_percent: float | None = None
    """Frames that were handed to the kernel soon enough, of all rounds."""


def summarise(rounds: Sequence[Sequence[Measurement]]) -> list[Row]:
    """Return one row per server of a cell; each round holds one measurement of each server."""
    return [
        _row([each for one in rounds for each in one if each.server == server], rounds)
        for server in dict.fromkeys(each.server for one in rounds for each in one)
    ]


def _row(mine: Sequence[Measurement], rounds: Sequence[Sequence[Measurement]]) -> Row:
    first = mine[0]
    floor = _ratios(first.server, FLOOR, rounds)
    return Row(
        server=first.server,
        size=first.size,
        viewers=first.viewers,
        frame_bytes=first.frame_bytes,
        cpu_us=statistics.median(each.cpu_us for each in mine),
        to_floor=_middle(floor),
        to_framebus=None
        if first.server in OURS
        else _middle(_ratios(first.server, FRAMEBUS, rounds)),
        core_percent=statistics.median(each.core_percent for each in mine),
        waited_percent=statistics.median(each.waited_percent for each in mine),
        daemon_percent=statistics.median(each.daemon_percent for each in mine),
        client_percent=statistics.median(each.client_percent for each in mine),
        fps_min=min(each.fps_min for each in mine),
        fps_median=statistics.median(each.fps_median for each in mine),
        age_p50_ms=_median(each.age_p50_ms for each in mine),
        age_p99_ms=_median(each.age_p99_ms for each in mine),
        faults=sum(e.broken + e.backwards + e.placeholders + e.closed for e in mine),
        floor_low=min(floor, default=None),
        floor_high=max(floor, default=None),
        soon_percent=_percent(
            sum(each.handed_soon or 0 for each in mine), sum(each.handed_all or 0 for each in mine)
        ),
    )


def _ratios(server: str, base: str, rounds: Sequence[Sequence[Measurement]]) -> list[float]:
    """Return a server's cost over the base's, for each round that has both."""
    ratios = []
    for one in rounds:
        cost = {each.server: each for each in one}
        if server in cost and base in cost and cost[base].parts and cost[server].parts:
            below = cost[base].cpu_us + (cost[base].daemon_us if base == FRAMEBUS else 0.0)
            ratios.append(cost[server].cpu_us / below)
    return ratios


def _middle(ratios: Sequence[float]) -> float | None:
    """Return the median; of two in the middle the geometric mean, so that a/b is 1/(b/a)."""
    return math.exp(statistics.median(map(math.log, ratios))) if ratios else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
