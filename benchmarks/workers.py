"""What a second worker is worth: two workers with twice the viewers, beside one worker.

    .venv/bin/python -m benchmarks.workers

A machine of two cores that also has to play the viewers cannot show twice the viewers at full
rate. So this compares what a delivered frame costs: if it costs two workers no more than one, then
two cores carry twice the viewers of one. Rounds alternate; the ratio is taken within each.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import click

from benchmarks import cpu, session, tools
from benchmarks.client import Viewers
from benchmarks.errors import BenchError
from benchmarks.framebus_server import Framebus
from benchmarks.task import Task

_SETTLE_S = 2.0


@click.command(context_settings={"show_default": True})
@click.option("--viewers", default=200, help="Viewers for one worker; two have twice as many.")
@click.option("--size", default="640x480", help="Frame size.")
@click.option("--fps", default=30, help="Frames per second.")
@click.option("--seconds", default=10.0, help="How long each measurement lasts.")
@click.option("--rounds", default=5, help="How often one and two are measured, in turn.")
@click.option("--out", default="out", type=click.Path(path_type=Path), help="For programs, clips.")
def main(viewers: int, size: str, fps: int, seconds: float, rounds: int, out: Path) -> None:
    """Measure one worker and two."""
    session.prepare()
    directory = out / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    try:
        frame = tools.Size.parse(size)
        cores = sorted(os.sched_getaffinity(0))
        task = Task(tools.clip(frame, directory), frame, fps, cores, directory)
        ratios = []
        for _ in range(rounds):
            one, two = (_cost_us(task, n, n * viewers, seconds) for n in (1, 2))
            ratios.append(2 * one / two)
            print(f"two workers carry {ratios[-1]:.2f} times the viewers of one", flush=True)
        print(f"median of {rounds} rounds: {statistics.median(ratios):.2f} times")
    except BenchError as error:
        sys.exit(f"workers: {error}")


def _cost_us(task: Task, workers: int, viewers: int, seconds: float) -> float:
    """Return the processor time of the web tier per delivered frame, microseconds."""
    load = tools.program("load", task.tools)
    with (
        closing(Framebus(task, workers=workers)) as server,
        closing(
            Viewers(
                load,
                port=server.port,
                path=server.path,
                count=viewers,
                stamp=server.stamp,
                cores=task.cores,
            )
        ) as client,
    ):
        client.wait()
        time.sleep(_SETTLE_S)
        before = {pid: cpu.times_ns({pid})[0] for pid in server.serving()}
        client.measure()
        time.sleep(seconds)
        report = client.report()
        spent = Counter({pid: cpu.times_ns({pid})[0] for pid in before})
        spent.subtract(before)
    parts = sum(report.parts)
    cost_us = sum(spent.values()) / 1e3 / parts
    shares = [ns / sum(spent.values()) for _, ns in spent.most_common(workers)]
    print(
        f"{workers} workers, {viewers} viewers: {cost_us:.2f} µs per frame, "
        f"{parts / viewers / report.elapsed_s:.1f} fps; shares of the work "
        + ", ".join(f"{share:.0%}" for share in shares)
    )
    return cost_us


if __name__ == "__main__":
    main()
