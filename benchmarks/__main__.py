"""`make bench`: measure, print one table, save it as JSON and as a plot.

The only place that builds things. `python -m benchmarks --help` tells the options.
"""

from __future__ import annotations

import datetime
import os
import shutil
import sys
from pathlib import Path

import click

from benchmarks import machine, plot, record, servers, session, tools
from benchmarks.errors import BenchError
from benchmarks.figures import Measurement, Row, summarise
from benchmarks.grid import Plan, cells
from benchmarks.table import table

_ROOT = Path(__file__).resolve().parent.parent
_DOCUMENT = _ROOT / "docs" / "performance.md"
_FIGURE = _ROOT / "docs" / "bench.png"


@click.command(context_settings={"show_default": True})
@click.option("--sizes", default="640x480,1280x720,1920x1080", help="Frame sizes.")
@click.option("--viewers", default="1,50,200,500", help="Numbers of viewers.")
@click.option("--servers", "names", default=",".join(servers.NAMES), help="What to measure.")
@click.option("--seconds", default=4.0, help="How long each measurement lasts.")
@click.option("--rounds", default=2, help="How often each is repeated, in turn with the others.")
@click.option("--fps", default=30, help="Frames per second.")
@click.option(
    "--cores", default="", help="The server's core and the client's.  [default: first two]"
)
@click.option("--out", default="out", type=click.Path(path_type=Path), help="Where results go.")
@click.option("--write-docs", is_flag=True, help="Put table and plot into docs/performance.md.")
@click.option("--again", is_flag=True, help="Measure nothing: table and plot of the last run.")
def main(
    sizes: str,
    viewers: str,
    names: str,
    seconds: float,
    rounds: int,
    fps: int,
    cores: str,
    out: Path,
    write_docs: bool,
    again: bool,
) -> None:
    """Measure framebus beside a bare loop of send() and beside its peers, on the same frames.

    The server runs on one core, the client on another. Lists are separated by commas.
    """
    session.prepare()
    try:
        if not again:
            server_core, client_core = _cores(cores)
            plan = Plan(
                sizes=[tools.Size.parse(size) for size in sizes.split(",")],
                viewers=_counts(viewers),
                servers=_available(names),
                seconds=seconds,
                rounds=rounds,
                fps=fps,
                server_core=server_core,
                client_core=client_core,
                directory=out / "bench",
            )
            _measure(plan, out / "bench.json")
        _show(out, write_docs=write_docs)
    except BenchError as error:
        sys.exit(f"bench: {error}")


def _measure(plan: Plan, path: Path) -> None:
    """Run the grid and save what it gave."""
    started = datetime.datetime.now(datetime.UTC)
    plan.directory.mkdir(parents=True, exist_ok=True)
    measured: list[list[Measurement]] = []
    rows: list[Row] = []
    for one in cells(plan, lambda text: print(text, flush=True)):
        measured += one
        rows += summarise(one)
    host = machine.describe()
    caption = (
        f"{started:%Y-%m-%d}, {host['processor']}, Linux {host['kernel']}, the server on one core, "
        f"{plan.fps} fps, {plan.rounds} x {plan.seconds:g} s"
    )
    record.save(path, caption=caption, started=started, machine=host, rounds=measured, rows=rows)
    print(f"saved as {path}")


def _show(out: Path, *, write_docs: bool) -> None:
    """Print the table, draw the plot, and put both into the documentation if asked to."""
    caption, rows = record.load(out / "bench.json")
    text = table(rows)
    print(f"\n{text}\n\n{caption}")
    plot.draw(rows, out / "bench.png", caption)
    print(f"drawn as {out / 'bench.png'}")
    if write_docs:
        _DOCUMENT.write_text(record.replace_block(_DOCUMENT.read_text(), f"{text}\n\n{caption}."))
        shutil.copyfile(out / "bench.png", _FIGURE)
        print(f"written to {_DOCUMENT} and {_FIGURE}")


def _counts(text: str) -> list[int]:
    counts = [int(word) for word in text.split(",") if word.isdecimal() and int(word)]
    if len(counts) != len(text.split(",")):
        raise BenchError(f"{text!r} are no numbers of viewers: write them as 1,50,200")
    return counts


def _cores(text: str) -> tuple[int, int]:
    allowed = sorted(os.sched_getaffinity(0))
    if not text:
        if len(allowed) < 2:
            print("bench: only one core, so that server and client get into each other's way")
        return allowed[0], allowed[min(1, len(allowed) - 1)]
    words = text.split(",")
    if len(words) != 2 or not all(w.isdecimal() and int(w) in allowed for w in words):
        raise BenchError(f"--cores {text}: give two of {allowed}, as in 0,1")
    return int(words[0]), int(words[1])


def _available(text: str) -> list[str]:
    wanted = text.split(",")
    unknown = [name for name in wanted if name not in servers.NAMES]
    if unknown:
        raise BenchError(f"no server {unknown[0]!r}: choose from {', '.join(servers.NAMES)}")
    for name in wanted:
        if reason := servers.missing(name):
            print(f"bench: leaving {name} out: {reason}")
    return [name for name in wanted if not servers.missing(name)]


if __name__ == "__main__":
    main()
