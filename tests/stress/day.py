"""One day, accelerated: `python -m tests.stress.day --help`.

`framebus up` takes frames from a stand-in camera (benchmarks/v4l2_shim.c) that gives small ones
faster than they can be taken: through the capture thread, the publisher and the ring, to a reader
of the newest frame, a reader of every frame, and one web worker with viewers. Ten million are four
days at 30 a second. After a tenth of them no process may grow any more. Forbidden:

    processes      one that ended, or is not the one that it was
    memory         PSS that has grown, by more than what allocators do by themselves
    descriptors, threads   that have become more
    faults         of viewers: broken parts, parts out of order, lost connections
    too few        frames that viewers or readers did not get at all
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from framebus.liveness import holder
from framebus.names import CameraNames
from framebus.ring import leftovers
from framebus.ring.reader import RingReader

from benchmarks import tools
from benchmarks.client import Stamp, Viewers
from tests.helpers.processes import children
from tests.helpers.waiting import until
from tests.stress.outlive_kills import free_port, make_clip

FRAMES = 10_000_000
_READER = """
import sys
from framebus import FrameReader

with FrameReader(every=sys.argv[1] == "every") as reader:
    for count, _ in enumerate(reader, 1):
        if count % 1000 == 0:
            print(count, flush=True)
"""
_FPS_SAID = 1000
"""What the camera claims to give, the most that there is; it gives more."""
_WARM_UP_S = 10.0
"""What processes do once, some seconds after their start, is no growth; a tenth of a short run is
over sooner."""
_SAMPLES = 100
"""Looks at all processes, over the whole run."""
_LOOK_S = 0.05
_MIDDLE = 7
"""Looks whose median counts, after a tenth of the run and at its end."""
GROWTH_KB = 512
"""PSS that a process may have more: a heap that has not met its worst case yet."""


@dataclass(frozen=True, slots=True)
class Look:
    """One process at one moment."""

    pss_kb: int
    descriptors: int
    threads: int

    @classmethod
    def at(cls, pid: int) -> Look:
        """Look at a process. Raises OSError if it is gone."""
        folder = Path(f"/proc/{pid}")
        told = (folder / "smaps_rollup").read_text()
        found = re.search(r"^Pss: +(\d+) kB$", told, re.MULTILINE)
        assert found is not None
        counts = (len(os.listdir(folder / name)) for name in ("fd", "task"))
        return cls(int(found[1]), *counts)


Looks = Mapping[str, Sequence[Look]]
"""What was seen of each process, by what it is."""


@dataclass(frozen=True)
class Result:
    """What a run saw."""

    frames: int
    seconds: float
    grown: dict[str, dict[str, float]]
    """How much each process had more at the end than after a tenth of the run."""
    at_end: dict[str, dict[str, int]]
    ended: list[str]
    faults: int
    seen: dict[str, int]
    """How many frames each viewer and reader got, the unluckiest of a kind."""

    def forbidden(self) -> list[str]:
        """Name all that must not be."""
        limits = {"pss_kb": GROWTH_KB, "descriptors": 0, "threads": 0}
        found = [
            f"{what} of {process}: {by:+g}"
            for process, grown in self.grown.items()
            for what, by in grown.items()
            if by > limits[what]
        ]
        found += [f"ended: {process}" for process in self.ended]
        found += [f"faults: {self.faults}"] if self.faults else []
        return found + [f"too few for {who}" for who, count in self.seen.items() if not count]


def growth(looks: Looks) -> dict[str, dict[str, float]]:
    """Return how much more of each there was at the end than after a tenth of the looks."""
    grown = {}
    for process, seen in looks.items():
        if not seen:
            continue
        settled = seen[len(seen) // 10 :]
        first, last = settled[:_MIDDLE], settled[-_MIDDLE:]
        grown[process] = {
            what: statistics.median(getattr(each, what) for each in last)
            - statistics.median(getattr(each, what) for each in first)
            for what in Look.__dataclass_fields__
        }
    return grown


def run(*, frames: int, viewers: int = 3) -> Result:
    """Have `frames` published and return what became of the processes meanwhile."""
    with tempfile.TemporaryDirectory(prefix="fb-") as folder, ExitStack() as stack:
        runtime = Path(folder)
        names = CameraNames(runtime)
        stack.callback(leftovers.remove, names)
        port = free_port()
        up = stack.enter_context(_up(runtime, port))
        daemon = until(lambda: holder(names.lock), within_s=60, what="the daemon is there")
        until(names.ring_file.exists, within_s=60, what="the ring is there")
        ring = stack.enter_context(closing(RingReader.attach(names)))
        until(lambda: ring.cursor, within_s=60, what="frames are there")
        master = until(lambda: _master(up.pid, daemon), within_s=60, what="a worker is there")
        load = tools.program("load", runtime)
        readers = {
            kind: stack.enter_context(_reader(runtime, kind)) for kind in ("newest", "every")
        }
        audience = stack.enter_context(
            closing(
                Viewers(
                    load,
                    port=port,
                    path="/stream",
                    count=viewers,
                    stamp=Stamp(),
                    cores=os.sched_getaffinity(0),
                )
            )
        )
        audience.wait()
        (worker,) = children(master)
        pids = {"up": up.pid, "daemon": daemon, "master": master, "worker": worker}
        pids |= {f"reader of {kind}": reader.pid for kind, reader in readers.items()}
        time.sleep(_WARM_UP_S)
        audience.measure()
        began, first = time.monotonic(), ring.cursor
        # Another daemon has another ring, and this one's cursor would stand still for ever.
        looks = _watched(
            pids, lambda: ring.cursor - first if holder(names.lock) == daemon else None, frames
        )
        seconds, done = time.monotonic() - began, ring.cursor - first
        report = audience.report()
        whose = {"up": up.pid, "daemon": holder(names.lock), "master": _master(up.pid, daemon)}
        whose["worker"] = (children(master) or [0])[0]
        ended = [name for name, pid in whose.items() if pid != pids[name]]
        ended += [f"reader of {kind}" for kind, one in readers.items() if one.poll() is not None]
        seen = {f"reader of {kind}": _read(runtime / f"reader-{kind}") for kind in readers}
        return Result(
            frames=done,
            seconds=round(seconds, 1),
            grown=growth(looks),
            at_end={process: asdict(each[-1]) for process, each in looks.items() if each},
            ended=ended,
            faults=report.broken + report.backwards + report.closed,
            seen={**seen, "viewers": min(report.parts)},
        )


def _watched(pids: Mapping[str, int], published: Callable[[], int | None], frames: int) -> Looks:
    """Look at all processes at every hundredth of the run, until there have been `frames`.

    `published` returns None when the daemon is gone: then that is all there is to see.
    """
    looks: dict[str, list[Look]] = {name: [] for name in pids}
    due = 0
    while due < frames:
        due += max(1, frames // _SAMPLES)
        while (count := published()) is not None and count < due:
            time.sleep(_LOOK_S)
        if count is None:
            break
        for name, pid in pids.items():
            looks[name].append(Look.at(pid))
    return looks


@contextmanager
def _up(runtime: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    clip, device = runtime / "clip", runtime / "video"
    make_clip(clip, frames=30, width=64, height=48)
    device.touch()
    camera = {
        "LD_PRELOAD": str(tools.library("v4l2_shim", runtime)),
        "SHIM_DEVICE": str(device),
        "SHIM_CLIP": str(clip),
        "SHIM_FPS": "20000",
        "SHIM_WIDTH": "64",
        "SHIM_HEIGHT": "48",
    }
    command = [
        *(sys.executable, "-m", "framebus", "up", "--source", f"v4l2:{device}", "--size", "64x48"),
        *("--workers", "1", "--ring-size", "4M", "--bind", f"127.0.0.1:{port}"),
        *("--frozen-after", "0", "--fps", str(_FPS_SAID)),
    ]
    own = {"FRAMEBUS_RUNTIME_DIR": str(runtime), "FRAMEBUS_STATE_DIR": str(runtime)}
    up = subprocess.Popen(command, env={**os.environ, **camera, **own})
    try:
        yield up
    finally:
        up.terminate()
        try:
            up.wait(30)
        finally:
            up.kill()
            up.wait()


@contextmanager
def _reader(runtime: Path, kind: str) -> Iterator[subprocess.Popen[bytes]]:
    """Read frames in a process of its own, which says how many it has had."""
    environ = {**os.environ, "FRAMEBUS_RUNTIME_DIR": str(runtime)}
    told = runtime / f"reader-{kind}"
    with told.open("wb") as out:
        reader = subprocess.Popen([sys.executable, "-c", _READER, kind], env=environ, stdout=out)
    try:
        yield reader
    finally:
        reader.kill()
        reader.wait()


def _master(up: int, daemon: int) -> int:
    """Return gunicorn's process id once it has a worker, else 0."""
    others = (pid for pid in children(up) if pid != daemon)
    return next((pid for pid in others if children(pid)), 0)


def _read(told: Path) -> int:
    """Return how many frames a reader has had: its last whole line says it."""
    return int(told.read_text().rpartition("\n")[0].rpartition("\n")[2] or 0)


def main() -> None:
    """Run it, print one line of JSON; exit 1 when something forbidden was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--viewers", type=int, default=3)
    options = parser.parse_args()
    result = run(frames=options.frames, viewers=options.viewers)
    found = result.forbidden()
    print(json.dumps({**asdict(result), "forbidden": found}))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
