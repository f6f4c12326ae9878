"""The table of results: one text that reads well in a terminal and is Markdown at once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from benchmarks.figures import Row

_COLUMNS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("size", lambda row: row.size),
    ("kB", lambda row: f"{row.frame_bytes / 1000:.0f}"),
    ("viewers", lambda row: str(row.viewers)),
    ("server", lambda row: row.server),
    ("µs/frame", lambda row: f"{row.cpu_us:.1f}"),
    ("/floor", lambda row: _ratio(row.to_floor)),
    ("from-to", lambda row: _span(row.floor_low, row.floor_high)),
    ("/framebus", lambda row: _ratio(row.to_framebus)),
    ("core %", lambda row: f"{row.core_percent:.1f}"),
    ("waited %", lambda row: f"{row.waited_percent:.1f}"),
    ("daemon %", lambda row: f"{row.daemon_percent:.1f}" if row.daemon_percent else ""),
    ("fps min", lambda row: f"{row.fps_min:.1f}"),
    ("fps med", lambda row: f"{row.fps_median:.1f}"),
    ("age p50 ms", lambda row: _age(row.age_p50_ms)),
    ("age p99 ms", lambda row: _age(row.age_p99_ms)),
    ("in 20 ms %", lambda row: _share(row.soon_percent)),
    ("client %", lambda row: f"{row.client_percent:.0f}"),
    ("faults", lambda row: str(row.faults)),
)
_LEFT = ("size", "server")


def table(rows: Iterable[Row]) -> str:
    """Return the grid's rows as an aligned Markdown table, without a newline at the end."""
    names = [name for name, _ in _COLUMNS]
    return aligned(names, [[show(row) for _, show in _COLUMNS] for row in rows], left=_LEFT)


def aligned(names: Sequence[str], body: Sequence[Sequence[str]], *, left: Collection[str]) -> str:
    """Return a Markdown table; the columns named in `left` are aligned to the left."""
    widths = [max(3, *map(len, column)) for column in zip(names, *body, strict=True)]
    rule = [
        "-" * width if name in left else "-" * (width - 1) + ":"
        for name, width in zip(names, widths, strict=True)
    ]
    return "\n".join(_line(cells, names, widths, left) for cells in (names, rule, *body))


def _line(
    cells: Sequence[str], names: Sequence[str], widths: Sequence[int], left: Collection[str]
) -> str:
    justified = (
        cell.ljust(width) if name in left else cell.rjust(width)
        for cell, name, width in zip(cells, names, widths, strict=True)
    )
    return f"| {' | '.join(justified)} |"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _span(low: float | None, high: float | None) -> str:
    """Return from where to where; nothing where one round gave no span."""
    return "" if low is None or high is None or low == high else f"{low:.2f}-{high:.2f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _age(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
