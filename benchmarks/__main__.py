"""`make bench`: measure, print one table, save it as JSON and as a plot.

The only place that builds things. `python -m benchmarks --help` tells the options.
"""

from __future__ import annotations

import datetime
import os
import resource
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from benchmarks import machine, plot, record, servers, tools
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
) -> None:
    """Measure framebus beside a bare loop of send() and beside its peers, on the same frames.

    The server runs on one core, the client on another. Lists are separated by commas.
    """
    signal.signal(signal.SIGTERM, _stop)
    _allow_descriptors()
    started = datetime.datetime.now(datetime.UTC)
    try:
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
        plan.directory.mkdir(parents=True, exist_ok=True)
        measured: list[list[Measurement]] = []
        rows: list[Row] = []
        for one in cells(plan, lambda text: print(text, flush=True)):
            measured += one
            rows += summarise(one)
        host = machine.describe()
        caption = (
            f"{started:%Y-%m-%d}, {host['processor']}, one core, {fps} fps, "
            f"{rounds} x {seconds:g} s, Linux {host['kernel']}"
        )
        options = {
            "seconds": seconds,
            "rounds": rounds,
            "fps": fps,
            "cores": [server_core, client_core],
        }
        record.save(
            out / "bench.json",
            date=started.isoformat(timespec="seconds"),
            machine=host,
            options=options,
            rounds=measured,
            rows=rows,
        )
        print(f"\n{table(rows)}\n\n{caption}\nsaved as {out}/bench.json", flush=True)
        plot.draw(rows, out / "bench.png", caption)
        print(f"drawn as {out}/bench.png")
        if write_docs:
            block = f"{caption}.\n\n{table(rows)}"
            _DOCUMENT.write_text(record.replace_block(_DOCUMENT.read_text(), block))
            shutil.copyfile(out / "bench.png", _FIGURE)
    except BenchError as error:
        sys.exit(f"bench: {error}")


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


def _allow_descriptors() -> None:
    """Every process started from here may have as many viewers as the user may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _stop(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends it as Ctrl-C does: through the finally clauses, which end the children."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
