"""Draws the results: processor time per delivered frame above, age of a frame below, by size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framebus import installation

from benchmarks.errors import BenchError
from benchmarks.figures import FLOOR, FRAMEBUS, Row

_COLOURS = {
    FRAMEBUS: "#0b6e4f",
    FLOOR: "#8a8a8a",
    "ustreamer": "#c8553d",
    "mjpg_streamer": "#e0a458",
}
_OTHER = "#3d5a80"
_STYLES = {FLOOR: "--"}


def draw(rows: Sequence[Row], path: Path, caption: str) -> None:
    """Write a PNG to `path`. Raises BenchError when matplotlib is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
    except ImportError as error:
        raise BenchError(str(installation.explained(error))) from error
    sizes = list(dict.fromkeys((row.size, row.frame_bytes) for row in rows))
    names = list(dict.fromkeys(row.server for row in rows))
    figure = Figure(figsize=(4.2 * len(sizes), 7.2), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(2, len(sizes), squeeze=False, sharey="row")
    for column, (size, frame_bytes) in enumerate(sizes):
        cost, age = grid[0][column], grid[1][column]
        viewers = sorted({row.viewers for row in rows if row.size == size})
        for name in names:
            mine = sorted(
                (row for row in rows if row.size == size and row.server == name),
                key=lambda row: row.viewers,
            )
            look = {
                "color": _COLOURS.get(name, _OTHER),
                "linestyle": _STYLES.get(name, "-"),
                "marker": "o",
                "markersize": 5,
            }
            places = [viewers.index(row.viewers) for row in mine]
            cost.plot(places, [row.cpu_us for row in mine], label=name, **look)
            ages = [(at, r.age_p99_ms) for at, r in zip(places, mine, strict=True) if r.age_p99_ms]
            age.plot([at for at, _ in ages], [ms for _, ms in ages], label=name, **look)
        cost.set_title(f"{size}, {frame_bytes / 1000:.0f} kB a frame", fontsize=11)
        age.set_xlabel("viewers")
        for axes in (cost, age):
            axes.set_xticks(range(len(viewers)), [str(count) for count in viewers])
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
    grid[0][0].set_ylabel("processor time per delivered frame, µs")
    grid[1][0].set_ylabel("age of a frame, 99th percentile, ms")
    grid[0][0].legend(frameon=False)
    figure.suptitle(caption, fontsize=9, color="#555555")
    figure.savefig(path, dpi=110)
