"""What the capture daemon costs with each kind of source, for the same frames, nobody reading.

The stand-in camera, the clip from the disk, from a server (the floor, floor.c, on the other core),
through ffmpeg, which passes it on as it is; and the test pattern, whose pictures are its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from benchmarks import cpu, summaries, tools
from benchmarks.framebus_server import Daemon
from benchmarks.part import Measured, Part, Say, Stage
from benchmarks.peers import Floor
from benchmarks.results import SourceRow
from benchmarks.task import Task

_CAMERA = "v4l2"
_KINDS = (_CAMERA, "file", "http", "ffmpeg", "test")
_WARM_S = 2.5
"""After the first frame: by then the first of the daemon's imports are done, and the stream is
taken for settled."""


class Sources(Part[SourceRow]):
    """The daemon alone, source by source."""

    name = "sources"
    kind = SourceRow
    file = "bench-sources.json"

    def __init__(self, stage: Stage, *, sizes: Sequence[tools.Size]) -> None:
        super().__init__(stage)
        self._sizes = sizes

    def measure(self, say: Say) -> Measured[SourceRow]:
        rows = []
        for size in self._sizes:
            task = self.stage.task(size, (self.stage.server_core,))
            runs: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in _KINDS}
            for number in range(self.stage.rounds):
                for kind in _KINDS if number % 2 == 0 else reversed(_KINDS):
                    measured = _measure(task, kind, self.stage)
                    runs[kind].append(measured)
                    say(f"{size}, {kind}: {measured[0]:.0f} µs a frame, {measured[1]:.2f} %")
            base = [frame_us for frame_us, _, _ in runs[_CAMERA]]
            rows += [SourceRow.of(str(size), kind, runs[kind], base) for kind in _KINDS]
        return Measured(rows)

    def text(self, rows: Sequence[SourceRow]) -> str:
        return summaries.sources(rows)


def _measure(task: Task, kind: str, stage: Stage) -> tuple[float, float, float]:
    """Return the daemon's µs a frame, and what it and its children take of a core, per cent."""
    with _options(task, kind, stage) as options, closing(Daemon(task, options)) as daemon:
        daemon.wait()
        time.sleep(_WARM_S)
        pid = daemon.program.pid
        children = cpu.family(pid) - {pid}
        frames = daemon.frames()["published"]
        own_ns, child_ns = cpu.times_ns([pid])[0], cpu.times_ns(children)[0]
        began = time.monotonic()
        time.sleep(stage.seconds)
        own_ns, child_ns = cpu.times_ns([pid])[0] - own_ns, cpu.times_ns(children)[0] - child_ns
        wall_s = time.monotonic() - began
        frames = daemon.frames()["published"] - frames
    return own_ns / frames / 1e3, own_ns / wall_s / 1e7, child_ns / wall_s / 1e7


@contextmanager
def _options(task: Task, kind: str, stage: Stage) -> Iterator[Sequence[str]]:
    """Have what the source needs, and give the daemon's options; none for the stand-in camera."""
    rate = ["--fps", str(task.fps)]
    match kind:
        case "file":
            yield ["--source", f"file:{task.clip.resolve()}", *rate]
        case "http":
            with closing(Floor(stage.task(task.size, (stage.client_core,)))) as server:
                yield ["--source", f"http://127.0.0.1:{server.port}{server.path}"]
        case "ffmpeg":
            # Without --fps, or the pictures would be encoded anew.
            yield ["--source", f"ffmpeg:-framerate {task.fps} -i {task.clip.resolve()}"]
        case "test":
            yield ["--source", "test", "--size", str(task.size), *rate]
        case _:
            yield ()
