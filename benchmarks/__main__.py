"""`make bench`: measure, print tables, save them as JSON, and publish them if asked to.

The only place that builds things. `python -m benchmarks --help` tells the options.
"""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks import machine, servers, session, tools
from benchmarks.capture import Capture
from benchmarks.errors import BenchError
from benchmarks.few import Few
from benchmarks.grid import Grid
from benchmarks.memory import Memory
from benchmarks.part import Part, Stage
from benchmarks.runner import Documentation, Run
from benchmarks.snapshots import Snapshots
from benchmarks.sources import Sources
from benchmarks.thousand import Thousand
from benchmarks.workers import Workers

_TREE = Path(__file__).resolve().parent.parent


@click.command(context_settings={"show_default": True})
@click.option(
    "--only",
    default="grid,few,snapshots,capture,sources,memory,workers,thousand",
    help="The parts to run.",
)
@click.option("--sizes", default="640x480,1280x720,1920x1080", help="Frame sizes, where several.")
@click.option("--viewers", default="1,200,500", help="Numbers of viewers in the grid.")
@click.option("--connections", default="20,200", help="Numbers of connections in snapshots.")
@click.option(
    "--servers", "names", default=",".join(servers.NAMES), help="Servers in the grid and in `few`."
)
@click.option(
    "--seconds", default=2.0, type=click.FloatRange(min=0.1), help="How long each measurement is."
)
@click.option(
    "--rounds",
    default=5,
    type=click.IntRange(min=1),
    help="How often each is repeated, in turn with the others.",
)
@click.option("--fps", default=30, type=click.IntRange(min=1), help="Frames per second.")
@click.option(
    "--long-viewers", default=1000, type=click.IntRange(min=1), help="Viewers of `thousand`."
)
@click.option(
    "--long-seconds",
    default=600.0,
    type=click.FloatRange(min=1),
    help="How long `thousand` is measured.",
)
@click.option(
    "--cores", default="", show_default="first two", help="The server's core and the client's."
)
@click.option("--out", default="out", type=click.Path(path_type=Path), help="Where results go.")
@click.option(
    "--write-docs", is_flag=True, help="Put the results into docs/performance.md and README."
)
@click.option("--again", is_flag=True, help="Measure nothing: show the last results.")
def main(
    only: str,
    sizes: str,
    viewers: str,
    connections: str,
    names: str,
    seconds: float,
    rounds: int,
    fps: int,
    long_viewers: int,
    long_seconds: float,
    cores: str,
    out: Path,
    write_docs: bool,
    again: bool,
) -> None:
    """Measure framebus, one part after another. Lists are separated by commas.

    \b
    grid      a delivered frame beside a bare loop of send() and beside
              peers: server on one core, client on another (18 minutes)
    few       all processes of each server, with 0, 1 and 3 viewers: what
              `framebus up` starts, beside the floor and peers (15 minutes)
    snapshots 20 and 200 connections that ask for one picture again and
              again, beside ustreamer (12 minutes)
    capture   the daemon, with 0, 1 and 32 readers (3 minutes)
    sources   the daemon with each kind of source (4 minutes)
    memory    each process of `framebus up`, and ustreamer (1 minute)
    workers   two workers beside one, two floors beside one (3 minutes)
    thousand  1000 viewers on two workers, for ten minutes (11 minutes)

    Each part is saved before the next begins. One that cannot be measured here is left out, and
    the reason is given.
    """
    session.prepare()
    try:
        server_core, client_core = _cores(cores)
        stage = Stage(
            directory=out / "bench",
            server_core=server_core,
            client_core=client_core,
            fps=fps,
            seconds=seconds,
            rounds=rounds,
        )
        frames = [tools.Size.parse(size) for size in sizes.split(",")]
        counts = _counts(viewers)
        parts: list[Part[Any]] = [
            Grid(stage, sizes=frames, viewers=counts, names=names.split(",")),
            Few(stage, sizes=frames, names=names.split(",")),
            Snapshots(stage, sizes=frames, connections=_counts(connections)),
            Capture(stage, sizes=frames),
            Sources(stage, sizes=frames),
            Memory(stage),
            Workers(stage),
            Thousand(stage, viewers=long_viewers, seconds=long_seconds),
        ]
        chosen = _chosen(only, parts)
    except BenchError as error:
        sys.exit(f"bench: {error}")
    run = Run(
        out=out,
        started=datetime.datetime.now(datetime.UTC),
        machine=machine.describe,
        say=lambda text: print(text, flush=True),
        documentation=Documentation(_TREE / "docs" / "performance.md", _TREE / "README.md")
        if write_docs
        else None,
    )
    done, failed = run.again(chosen) if again else run.measure(chosen)
    if failed:
        sys.exit(f"bench: failed: {', '.join(failed)}")
    if not done:
        sys.exit("bench: there is nothing to show")


def _chosen(only: str, parts: Sequence[Part[Any]]) -> list[Part[Any]]:
    wanted, known = only.split(","), [part.name for part in parts]
    if unknown := [name for name in wanted if name not in known]:
        raise BenchError(f"no part {unknown[0]!r}: choose from {', '.join(known)}")
    return [part for part in parts if part.name in wanted]


def _counts(text: str) -> list[int]:
    counts = [int(word) for word in text.split(",") if word.isdecimal() and int(word)]
    if len(counts) != len(text.split(",")):
        raise BenchError(f"{text!r} are no numbers: write them as 1,200,500")
    return counts


def _cores(text: str) -> tuple[int, int]:
    allowed = sorted(os.sched_getaffinity(0))
    if not text:
        return allowed[0], allowed[min(1, len(allowed) - 1)]
    words = text.split(",")
    if len(words) != 2 or not all(w.isdecimal() and int(w) in allowed for w in words):
        raise BenchError(f"--cores {text}: give two of {allowed}, as in 0,1")
    return int(words[0]), int(words[1])


if __name__ == "__main__":
    main()
