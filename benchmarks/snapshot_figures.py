"""What the part `snapshots` measures, and how that reads. Pure: no process, no file, no clock."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import FRAMEBUS, percentile
from benchmarks.table import aligned


@dataclass(frozen=True, slots=True)
class Answers:
    """What the snapshot client received in one measurement."""

    elapsed_s: float
    answers: int
    """Whole pictures."""
    bytes: int
    broken: int
    """Answers with a wrong head, length, first or last bytes."""
    refused: int
    """Answers that were not 200."""
    closed: int
    """Connections that were lost before their answer was whole."""
    placeholders: int
    """Pictures that were not the camera's."""
    connected: int
    """Connections that were made."""
    times_ms: tuple[tuple[float, int], ...]
    """Histogram of the time from asking to the last byte, bounds and counts, ascending."""

    @classmethod
    def parse(cls, line: str) -> Answers:
        """Return what a line of polls.c says."""
        told = json.loads(line)
        bucket_ms = told["bucket_us"] / 1000
        return cls(
            elapsed_s=told["elapsed_ns"] / 1e9,
            answers=told["answers"],
            bytes=told["bytes"],
            broken=told["broken"],
            refused=told["refused"],
            closed=told["closed"],
            placeholders=told["placeholders"],
            connected=told["connected"],
            times_ms=tuple(((index + 1) * bucket_ms, count) for index, count in told["times"]),
        )

    @property
    def faults(self) -> int:
        """How many answers there should have been besides."""
        return self.broken + self.refused + self.closed + self.placeholders


@dataclass(frozen=True, slots=True)
class SnapshotsMeasurement:
    """One server under one load, once."""

    server: str
    size: str
    frame_bytes: int
    connections: int
    kept: bool
    """Whether connections were kept for the next request."""
    requests_per_s: float
    cpu_us: float
    """Processor time of all of the server's processes, capture included, for one answer."""
    core_percent: float
    client_percent: float
    p50_ms: float | None
    p99_ms: float | None
    faults: int

    @classmethod
    def of(
        cls,
        answers: Answers,
        *,
        server: str,
        size: str,
        frame_bytes: int,
        connections: int,
        kept: bool,
        wall_s: float,
        server_ns: int,
        client_ns: int,
    ) -> SnapshotsMeasurement:
        """Put together what the client saw and what the processes cost in `wall_s` seconds."""
        return cls(
            server=server,
            size=size,
            frame_bytes=frame_bytes,
            connections=connections,
            kept=kept,
            requests_per_s=answers.answers / answers.elapsed_s,
            cpu_us=server_ns / 1e3 / max(answers.answers, 1),
            core_percent=server_ns / wall_s / 1e7,
            client_percent=client_ns / wall_s / 1e7,
            p50_ms=percentile(answers.times_ms, 0.50),
            p99_ms=percentile(answers.times_ms, 0.99),
            faults=answers.faults,
        )


@dataclass(frozen=True, slots=True)
class SnapshotsRow:
    """One server under one load: medians over the rounds, faults summed."""

    server: str
    size: str
    frame_bytes: int
    connections: int
    kept: bool
    requests_per_s: float
    to_framebus: float | None
    """Its requests a second over framebus's of the same round; None for framebus."""
    low: float | None
    high: float | None
    """The rounds with the smallest and the largest of these ratios."""
    cpu_us: float
    core_percent: float
    client_percent: float
    p50_ms: float | None
    p99_ms: float | None
    faults: int


def summarise(rounds: Sequence[Sequence[SnapshotsMeasurement]]) -> list[SnapshotsRow]:
    """Return one row per server of a cell; each round holds one measurement of each server."""
    return [
        _row([each for one in rounds for each in one if each.server == server], rounds)
        for server in dict.fromkeys(each.server for one in rounds for each in one)
    ]


def _row(
    mine: Sequence[SnapshotsMeasurement], rounds: Sequence[Sequence[SnapshotsMeasurement]]
) -> SnapshotsRow:
    first = mine[0]
    ratios = [] if first.server == FRAMEBUS else _ratios(first.server, rounds)
    return SnapshotsRow(
        server=first.server,
        size=first.size,
        frame_bytes=first.frame_bytes,
        connections=first.connections,
        kept=first.kept,
        requests_per_s=statistics.median(each.requests_per_s for each in mine),
        to_framebus=math.exp(statistics.median(map(math.log, ratios))) if ratios else None,
        low=min(ratios, default=None),
        high=max(ratios, default=None),
        cpu_us=statistics.median(each.cpu_us for each in mine),
        core_percent=statistics.median(each.core_percent for each in mine),
        client_percent=statistics.median(each.client_percent for each in mine),
        p50_ms=_median([each.p50_ms for each in mine]),
        p99_ms=_median([each.p99_ms for each in mine]),
        faults=sum(each.faults for each in mine),
    )


def _ratios(server: str, rounds: Sequence[Sequence[SnapshotsMeasurement]]) -> list[float]:
    ratios = []
    for one in rounds:
        rate = {each.server: each.requests_per_s for each in one}
        if rate.get(server) and rate.get(FRAMEBUS):
            ratios.append(rate[server] / rate[FRAMEBUS])
    return ratios


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def text(rows: Sequence[SnapshotsRow]) -> str:
    """Return one line for each server under each load."""
    names = (
        "size",
        "kB",
        "connections",
        "kept",
        "server",
        "requests/s",
        "/framebus",
        "from-to",
        "µs/request",
        "p50 ms",
        "p99 ms",
        "core %",
        "client %",
        "faults",
    )
    body = [
        [
            row.size,
            f"{row.frame_bytes / 1000:.0f}",
            str(row.connections),
            "yes" if row.kept else "no",
            row.server,
            f"{row.requests_per_s:.0f}",
            _ratio(row.to_framebus),
            f"{_ratio(row.low)}-{_ratio(row.high)}" if row.low != row.high else "",
            f"{row.cpu_us:.0f}",
            _ratio(row.p50_ms),
            _ratio(row.p99_ms),
            f"{row.core_percent:.0f}",
            f"{row.client_percent:.0f}",
            str(row.faults),
        ]
        for row in rows
    ]
    return aligned(names, body, left=("size", "kept", "server"))


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
