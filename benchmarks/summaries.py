"""How the results of the parts beside the grid read, as Markdown. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.results import CaptureRow, LongRun, MemoryRow, SourceRow, WorkersRound
from benchmarks.table import aligned


def capture(rows: Sequence[CaptureRow]) -> str:
    """Return one line for each size and number of readers."""
    names = ("size", "readers", "core %", "least", "most", "busiest thread %")
    body = [
        [
            row.size,
            str(row.readers),
            f"{row.core_percent:.2f}",
            f"{row.least_percent:.2f}",
            f"{row.most_percent:.2f}",
            f"{row.capture_percent:.2f}",
        ]
        for row in rows
    ]
    return aligned(names, body, left=("size",))


def sources(rows: Sequence[SourceRow]) -> str:
    """Return one line for each size and kind of source."""
    names = ("size", "source", "µs/frame", "core %", "child %", "/v4l2", "from-to")
    body = [
        [
            row.size,
            row.source,
            f"{row.frame_us:.0f}",
            f"{row.core_percent:.2f}",
            f"{row.child_percent:.2f}" if row.child_percent else "",
            f"{row.to_v4l2:.2f}",
            f"{row.least:.2f}-{row.most:.2f}",
        ]
        for row in rows
    ]
    return aligned(names, body, left=("size", "source"))


def workers(rounds: Sequence[WorkersRound]) -> str:
    """Return one line a round, and the medians as the last."""
    viewers = rounds[0].viewers
    names = (
        "round",
        f"1 worker, {viewers} viewers: µs/frame",
        "fps",
        f"2 workers, {2 * viewers} viewers: µs/frame",
        "fps",
        "shares of the work",
        "times the viewers",
        "1 floor",
        "2 floors",
        "times",
    )
    body = [
        _cells(str(number), one, one.times, one.floors_times)
        for number, one in enumerate(rounds, 1)
    ]
    middle = WorkersRound(
        viewers=viewers,
        one_us=statistics.median(one.one_us for one in rounds),
        one_fps=statistics.median(one.one_fps for one in rounds),
        two_us=statistics.median(one.two_us for one in rounds),
        two_fps=statistics.median(one.two_fps for one in rounds),
        shares=[statistics.median(c) for c in zip(*(one.shares for one in rounds), strict=True)],
        one_floor_us=statistics.median(one.one_floor_us for one in rounds),
        two_floors_us=statistics.median(one.two_floors_us for one in rounds),
    )
    # The ratios' own median: the two costs of one round were measured in the same half minute.
    ratios = ([one.times for one in rounds], [one.floors_times for one in rounds])
    body.append(_cells("median", middle, *map(statistics.median, ratios)))
    return aligned(names, body, left=("round",))


def memory(rows: Sequence[MemoryRow]) -> str:
    """Return one line a process, and one for all of a server where it has several."""
    body = []
    for server in dict.fromkeys(row.server for row in rows):
        own = [row for row in rows if row.server == server]
        if len(own) > 1:
            whole = (sum(row.pss for row in own), sum(row.ring for row in own))
            own.append(MemoryRow(server, "all", *whole))
        body += [
            [server, row.process, f"{row.pss:.1f}", f"{row.pss - row.ring:.1f}"] for row in own
        ]
    names = ("server", "process", "PSS, MiB", "without the ring")
    return aligned(names, body, left=("server", "process"))


def long_run(rows: Sequence[LongRun]) -> str:
    """Return everything that is known of one run, a line each."""
    (run,) = rows
    body = [
        ["viewers", str(run.viewers)],
        ["frames", f"{run.size}, {run.frame_bytes / 1000:.0f} kB"],
        ["fps of the median viewer", f"{run.fps_median:.2f}"],
        [
            "fps of the slowest, and over the median",
            f"{run.fps_min:.2f}, {_over(run.fps_min, run.fps_median)}",
        ],
        ["age of a frame, p50 and p99", f"{_ms(run.age_p50_ms)}, {_ms(run.age_p99_ms)}"],
        ["delivered", f"{run.bytes_per_s / 1e9:.2f} GB/s"],
        [
            "broken, out of order, placeholders",
            f"{run.broken}, {run.backwards}, {run.placeholders}",
        ],
        ["connections lost", str(run.closed)],
        [
            "the daemon's frames: captured, published, missed, rejected",
            f"{run.captured}, {run.published}, {run.missed}, {run.rejected}",
        ],
        [
            "of a core: web tier, daemon, client",
            f"{run.web_percent:.1f} %, {run.daemon_percent:.1f} %, {run.client_percent:.1f} %",
        ],
        ["resident memory of each worker, MiB", _change(run.held_before, run.held_after)],
        ["of it its own, not the ring, MiB", _change(run.own_before, run.own_after)],
    ]
    return aligned(("", "measured"), body, left=("", "measured"))


def _cells(first: str, one: WorkersRound, times: float, floors_times: float) -> list[str]:
    return [
        first,
        f"{one.one_us:.1f}",
        f"{one.one_fps:.1f}",
        f"{one.two_us:.1f}",
        f"{one.two_fps:.1f}",
        ", ".join(f"{share:.0%}" for share in one.shares),
        f"{times:.2f}",
        f"{one.one_floor_us:.1f}",
        f"{one.two_floors_us:.1f}",
        f"{floors_times:.2f}",
    ]


def _over(value: float, base: float) -> str:
    return f"{value / base:.3f}" if base else "unknown"


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} ms"


def _change(before: Sequence[float], after: Sequence[float]) -> str:
    """Say what each worker had at the start and at the end."""
    return "; ".join(f"{a:.1f} to {b:.1f}" for a, b in zip(before, after, strict=True))
