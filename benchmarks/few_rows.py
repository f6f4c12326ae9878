"""What a server costs with few viewers, all its processes counted, and how that reads. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.figures import FRAMEBUS, Report, percentile
from benchmarks.table import aligned

TOGETHER = "together"
"""The one share of a program that is one process."""
SHARES = ("capture", "serving", "rest")
"""framebus's: the daemon; gunicorn's master and workers; what keeps both running."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One server with so many viewers, once."""

    server: str
    size: str
    frame_bytes: int
    viewers: int
    percent: Mapping[str, float]
    """Of a core, each share of its processes."""
    wakeups: float
    """How often its threads were woken, a second."""
    fps_min: float | None = None
    """Of the slowest viewer; None where nobody watches, as what follows."""
    age_p50_ms: float | None = None
    age_p99_ms: float | None = None
    faults: int = 0

    @property
    def core_percent(self) -> float:
        """Of a core, all its processes."""
        return sum(self.percent.values())

    @classmethod
    def of(
        cls,
        report: Report | None,
        *,
        server: str,
        size: str,
        frame_bytes: int,
        percent: Mapping[str, float],
        wakeups: float,
    ) -> Sample:
        """Put together what viewers saw, where there were any, and what the processes cost."""
        sample = cls(
            server=server,
            size=size,
            frame_bytes=frame_bytes,
            viewers=0,
            percent=percent,
            wakeups=wakeups,
        )
        if report is None:
            return sample
        return replace(
            sample,
            viewers=len(report.parts),
            fps_min=min(report.parts) / report.elapsed_s,
            age_p50_ms=percentile(report.ages_ms, 0.50),
            age_p99_ms=percentile(report.ages_ms, 0.99),
            faults=report.broken + report.backwards + report.placeholders + report.closed,
        )


@dataclass(frozen=True, slots=True)
class FewRow:
    """One server with so many viewers: medians over the rounds, faults summed."""

    server: str
    size: str
    frame_bytes: int
    viewers: int
    core_percent: float
    """Of a core, all its processes."""
    frame_us: float
    """The same for each frame that the camera gave, however many had it, µs."""
    percent: Mapping[str, float]
    """What each share of its processes has of `core_percent`."""
    times: Mapping[str, Sequence[float]]
    """framebus's processor time over each other server's in the same round: the least, the median
    and the greatest; empty for others."""
    wakeups: float
    fps_min: float | None
    age_p50_ms: float | None
    age_p99_ms: float | None
    faults: int


def summarise(rounds: Sequence[Sequence[Sample]], fps: int) -> list[FewRow]:
    """Return one row per server of a cell; each round holds one sample of each server."""
    return [
        _row([each for one in rounds for each in one if each.server == server], rounds, fps)
        for server in dict.fromkeys(each.server for one in rounds for each in one)
    ]


def _row(mine: Sequence[Sample], rounds: Sequence[Sequence[Sample]], fps: int) -> FewRow:
    first = mine[0]
    core = statistics.median(each.core_percent for each in mine)
    return FewRow(
        server=first.server,
        size=first.size,
        frame_bytes=first.frame_bytes,
        viewers=first.viewers,
        core_percent=core,
        frame_us=core * 1e4 / fps,
        percent={
            share: statistics.median(each.percent[share] for each in mine)
            for share in first.percent
        },
        times=_times(rounds) if first.server == FRAMEBUS else {},
        wakeups=statistics.median(each.wakeups for each in mine),
        fps_min=min((each.fps_min for each in mine if each.fps_min is not None), default=None),
        age_p50_ms=_median(each.age_p50_ms for each in mine),
        age_p99_ms=_median(each.age_p99_ms for each in mine),
        faults=sum(each.faults for each in mine),
    )


def _times(rounds: Sequence[Sequence[Sample]]) -> dict[str, list[float]]:
    ratios: dict[str, list[float]] = {}
    for one in rounds:
        cost = {each.server: each.core_percent for each in one}
        for name, other in cost.items():
            if name != FRAMEBUS and other:
                ratios.setdefault(name, []).append(cost[FRAMEBUS] / other)
    # Of two in the middle the geometric mean, as in the grid.
    return {
        name: [min(each), math.exp(statistics.median(map(math.log, each))), max(each)]
        for name, each in ratios.items()
    }


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def table(rows: Sequence[FewRow]) -> str:
    """Return one line for each size, number of viewers and server."""
    others = list(dict.fromkeys(name for row in rows for name in row.times))
    names = (
        *("size", "kB", "viewers", "server", "core %", "µs/frame", *SHARES),
        *(f"/{name}" for name in others),
        *("wake-ups/s", "fps min", "age p50 ms", "age p99 ms", "faults"),
    )
    body = [
        [
            *(row.size, f"{row.frame_bytes / 1000:.0f}", str(row.viewers), row.server),
            *(f"{row.core_percent:.2f}", f"{row.frame_us:.0f}"),
            *(_known(row.percent.get(share), 2) for share in SHARES),
            *(_span(row.times.get(name)) for name in others),
            *(f"{row.wakeups:.0f}", _known(row.fps_min, 1)),
            *(_known(row.age_p50_ms, 2), _known(row.age_p99_ms, 2), str(row.faults)),
        ]
        for row in rows
    ]
    return aligned(names, body, left=("size", "server"))


def brief(rows: Sequence[FewRow]) -> str:
    """Return a line for each size and number of viewers, with what each server takes of a core."""
    servers = list(dict.fromkeys(row.server for row in rows))
    cells: dict[tuple[str, int], dict[str, str]] = {}
    for row in rows:
        cell = f"{row.core_percent:.2f} %"
        cells.setdefault((row.size, row.viewers), {})[row.server] = cell
    body = [
        [size, str(viewers), *(cell.get(server, "") for server in servers)]
        for (size, viewers), cell in cells.items()
    ]
    return aligned(("frame", "viewers", *servers), body, left=("frame",))


def _known(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _span(times: Sequence[float] | None) -> str:
    """Say the median, and the extreme rounds where there was more than one."""
    if times is None:
        return ""
    least, middle, most = times
    return f"{middle:.2f}" if least == most else f"{middle:.2f} ({least:.2f}-{most:.2f})"
