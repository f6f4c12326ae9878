"""A thousand viewers for ten minutes, on the same machine as the client that plays them.

    .venv/bin/python -m benchmarks.thousand --seconds 600

Camera, two workers and the load client share all cores. Says each minute what the workers hold in
memory; at the end what the viewers got, and what the daemon says of its frames.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import click
from framebus.control.client import ControlClient
from framebus.names import CameraNames

from benchmarks import cpu, session, tools
from benchmarks.client import Viewers
from benchmarks.errors import BenchError
from benchmarks.figures import percentile
from benchmarks.framebus_server import Framebus
from benchmarks.task import Task

_SETTLE_S = 3.0
_EVERY_S = 60.0


@click.command(context_settings={"show_default": True})
@click.option("--seconds", default=600.0, help="How long to measure.")
@click.option("--viewers", default=1000, help="How many viewers.")
@click.option("--workers", default=2, help="How many workers.")
@click.option("--size", default="640x480", help="Frame size.")
@click.option("--fps", default=30, help="Frames per second.")
@click.option("--out", default="out", type=click.Path(path_type=Path), help="For programs, clips.")
def main(seconds: float, viewers: int, workers: int, size: str, fps: int, out: Path) -> None:
    """Measure many viewers at once, for long."""
    session.prepare()
    directory = out / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    try:
        frame = tools.Size.parse(size)
        cores = sorted(os.sched_getaffinity(0))
        task = Task(tools.clip(frame, directory), frame, fps, cores, directory)
        with closing(Framebus(task, workers=workers)) as server:
            load = tools.program("load", directory)
            with closing(
                Viewers(
                    load,
                    port=server.port,
                    path=server.path,
                    count=viewers,
                    stamp=server.stamp,
                    cores=cores,
                )
            ) as client:
                client.wait()
                time.sleep(_SETTLE_S)
                _measure(server, client, seconds, f"{size}, {tools.mean_frame_bytes(task.clip)} B")
    except BenchError as error:
        sys.exit(f"thousand: {error}")


def _measure(server: Framebus, client: Viewers, seconds: float, picture: str) -> None:
    groups = {"web": server.serving(), "daemon": server.capturing(), "client": {client.pid}}
    before = {name: cpu.times_ns(pids)[0] for name, pids in groups.items()}
    frames, began = _frames(server), time.monotonic()
    client.measure()
    while (left := began + seconds - time.monotonic()) > 0:
        print(f"{time.monotonic() - began:5.0f} s  {_memory(server.workers())}", flush=True)
        time.sleep(min(_EVERY_S, left))
    report, wall_s = client.report(), time.monotonic() - began
    print(f"{wall_s:5.0f} s  {_memory(server.workers())}")
    rates = [count / report.elapsed_s for count in report.parts]
    median = statistics.median(rates)
    print(
        f"{len(rates)} viewers, {picture}: {median:.2f} fps median, {min(rates):.2f} least, "
        f"{min(rates) / median:.3f} of the median; age p50 {percentile(report.ages_ms, 0.5)} ms, "
        f"p99 {percentile(report.ages_ms, 0.99)} ms"
    )
    print(
        f"{sum(report.parts)} parts, {report.bytes / report.elapsed_s / 1e9:.2f} GB/s; "
        f"broken {report.broken}, out of order {report.backwards}, "
        f"placeholders {report.placeholders}, connections lost {report.closed}"
    )
    for name, pids in groups.items():
        spent = cpu.times_ns(pids)[0] - before[name]
        print(f"{name}: {spent / wall_s / 1e7:.1f} % of a core")
    print("frames of the daemon: " + _difference(frames, _frames(server)))


def _memory(pids: Iterable[int]) -> str:
    """Say what each process holds in memory, and how much of that is its own."""
    said = []
    for pid in sorted(pids):
        fields = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        )
        held, own = (int(fields[key].split()[0]) / 1024 for key in ("VmRSS", "RssAnon"))
        said.append(f"worker {pid}: {held:.1f} MiB, {own:.1f} MiB its own")
    return "; ".join(said)


def _frames(server: Framebus) -> dict[str, Any]:
    with ControlClient(CameraNames(server.daemon.runtime)) as control:
        status = cast("dict[str, Any]", control.call("status"))
    return cast("dict[str, Any]", status["frames"])


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    counts = ", ".join(
        f"{name} {after[name] - before[name]}" for name in ("captured", "published", "missed")
    )
    return f"{counts}, rejected {after['rejected'] or 'none'}"


if __name__ == "__main__":
    main()
