"""The table of results: one text that reads well in a terminal and is Markdown at once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from benchmarks.figures import Row

_COLUMNS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("size", lambda row: row.size),
    ("kB", lambda row: f"{row.frame_bytes / 1000:.0f}"),
    ("viewers", lambda row: str(row.viewers)),
    ("server", lambda row: row.server),
    ("µs/frame", lambda row: f"{row.cpu_us:.1f}"),
    ("/floor", lambda row: _ratio(row.to_floor)),
    ("/framebus", lambda row: _ratio(row.to_framebus)),
    ("core %", lambda row: f"{row.core_percent:.1f}"),
    ("waited %", lambda row: f"{row.waited_percent:.1f}"),
    ("daemon %", lambda row: f"{row.daemon_percent:.1f}" if row.daemon_percent else ""),
    ("fps min", lambda row: f"{row.fps_min:.1f}"),
    ("fps med", lambda row: f"{row.fps_median:.1f}"),
    ("age p50 ms", lambda row: _age(row.age_p50_ms)),
    ("age p99 ms", lambda row: _age(row.age_p99_ms)),
    ("client %", lambda row: f"{row.client_percent:.0f}"),
    ("faults", lambda row: str(row.faults)),
)
_LEFT = ("size", "server")


def table(rows: Iterable[Row]) -> str:
    """Return the rows as an aligned Markdown table, without a newline at the end."""
    names = [name for name, _ in _COLUMNS]
    body = [[show(row) for _, show in _COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *body, strict=True)]
    rule = [
        "-" * width if name in _LEFT else "-" * (width - 1) + ":"
        for name, width in zip(names, widths, strict=True)
    ]
    return "\n".join(_line(cells, names, widths) for cells in (names, rule, *body))


def _line(cells: Sequence[str], names: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.ljust(width) if name in _LEFT else cell.rjust(width)
        for cell, name, width in zip(cells, names, widths, strict=True)
    )
    return f"| {' | '.join(aligned)} |"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _age(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
