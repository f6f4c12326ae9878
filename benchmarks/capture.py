"""What the capture daemon costs when it passes a camera's MJPEG through, with and without readers.

    .venv/bin/python -m benchmarks.capture

The camera is the stand-in for V4L2 (v4l2_shim.c), whose copying of each picture counts as the
daemon's. Readers are `framebus.FrameReader`s, all in one process on another core.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import click

from benchmarks import cpu, session, tools
from benchmarks.errors import BenchError
from benchmarks.framebus_server import Daemon
from benchmarks.program import Program
from benchmarks.task import Task

_READERS = """
import sys, threading
from framebus import FrameReader

def read(first):
    with FrameReader() as reader:
        next(iter(reader))
        first.release()
        for _ in reader:
            pass

started = threading.Semaphore(0)
count = int(sys.argv[1])
for _ in range(count):
    threading.Thread(target=read, args=(started,), daemon=True).start()
for _ in range(count):
    started.acquire()
print("reading", flush=True)
sys.stdin.read()
"""
_START_S = 30.0


@click.command(context_settings={"show_default": True})
@click.option("--sizes", default="640x480,1280x720,1920x1080", help="Frame sizes.")
@click.option("--readers", default="0,1,32", help="Numbers of readers.")
@click.option("--fps", default=30, help="Frames per second.")
@click.option("--seconds", default=10.0, help="How long each measurement lasts.")
@click.option("--rounds", default=3, help="How often each is repeated, in turn.")
@click.option("--out", default="out", type=click.Path(path_type=Path), help="For programs, clips.")
def main(sizes: str, readers: str, fps: int, seconds: float, rounds: int, out: Path) -> None:
    """Measure the daemon."""
    session.prepare()
    directory = out / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    cores = sorted(os.sched_getaffinity(0))
    try:
        print("| size | readers | core % | of it, the capture thread |\n|---|--:|--:|--:|")
        for text in sizes.split(","):
            size = tools.Size.parse(text)
            task = Task(tools.clip(size, directory), size, fps, cores[:1], directory)
            for count in map(int, readers.split(",")):
                runs = [_percent(task, count, cores[-1], seconds) for _ in range(rounds)]
                whole, capture = (statistics.median(column) for column in zip(*runs, strict=True))
                print(f"| {size} | {count} | {whole:.2f} | {capture:.2f} |", flush=True)
    except BenchError as error:
        sys.exit(f"capture: {error}")


def _percent(task: Task, readers: int, core: int, seconds: float) -> tuple[float, float]:
    """Return what the daemon takes of a core, and its busiest thread alone, per cent."""
    with ExitStack() as stack:
        daemon = stack.enter_context(closing(Daemon(task)))
        program = stack.enter_context(
            Program(
                [sys.executable, "-c", _READERS, str(max(readers, 1))],
                cores=(core,),
                environ={"FRAMEBUS_RUNTIME_DIR": str(daemon.runtime)},
            )
        )
        program.listen(_START_S)  # so there are frames
        if not readers:
            program.close()
        before, began = _threads_ns(daemon.program.pid), time.monotonic()
        time.sleep(seconds)
        after, wall_s = _threads_ns(daemon.program.pid), time.monotonic() - began
    spent = [after[thread] - before.get(thread, 0) for thread in after]
    return sum(spent) / wall_s / 1e7, max(spent) / wall_s / 1e7


def _threads_ns(pid: int) -> dict[str, int]:
    """Return what each thread of the daemon has spent on a core, ns."""
    return {
        thread.name: int((thread / "schedstat").read_text().split()[0])
        for process in cpu.family(pid)
        for thread in Path(f"/proc/{process}/task").iterdir()
    }


if __name__ == "__main__":
    main()
