"""What every part of `make bench` has in common: where it is measured, and what it hands over.

A part measures rows of one kind; a row is a flat dataclass that JSON can hold. How rows read is
decided by pure functions (table.py, summaries.py), where they are kept by record.py.
"""

from __future__ import annotations

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from benchmarks import tools
from benchmarks.client import Viewers
from benchmarks.figures import Measurement
from benchmarks.servers import Server
from benchmarks.task import Task

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
Say = Callable[[str], None]
"""Is told what goes on, line by line."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is measured, how often and for how long."""

    directory: Path
    """Where programs and clips are kept."""
    server_core: int
    client_core: int
    fps: int
    seconds: float
    """How long one measurement lasts."""
    rounds: int

    @property
    def cores(self) -> tuple[int, ...]:
        """Both cores, for what shares them; one, where there is only one."""
        return tuple(dict.fromkeys((self.server_core, self.client_core)))

    def task(self, size: tools.Size, cores: Collection[int]) -> Task:
        """Return what a server on `cores` is to serve. Raises BenchError without a clip."""
        clip = tools.clip(size, self.directory)
        return Task(clip, size, self.fps, cores, self.directory)

    @property
    def how(self) -> str:
        """How often and how long, for a caption."""
        return f"{self.fps} fps, {self.rounds} x {self.seconds:g} s"


@contextmanager
def audience(
    server: Server, task: Task, count: int, *, cores: Collection[int], settle_s: float
) -> Iterator[Viewers]:
    """Have `count` viewers watch `server`, and begin `settle_s` after each has its first part."""
    load = tools.program("load", task.tools)
    with closing(
        Viewers(
            load,
            port=server.port,
            path=server.path,
            count=count,
            stamp=server.stamp,
            cores=cores,
        )
    ) as viewers:
        viewers.wait()
        time.sleep(settle_s)
        yield viewers


@dataclass(frozen=True, slots=True)
class Measured(Generic[R]):
    """What a part found out."""

    rows: Sequence[R]
    """What is shown."""
    rounds: Sequence[Sequence[Measurement]] = field(default=())
    """What rows were summed up from, where they are a summary; it is kept beside them."""


class Part(ABC, Generic[R]):
    """One part of the benchmark."""

    name: str
    kind: type[R]
    file: str
    """Name of the file that its results are kept in."""
    cores_needed = 1
    figure = ""
    """File name of the plot that `draw` makes; empty for a part that has none."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def missing(self) -> str:
        """Return why it cannot be measured here and what would help; empty if it can."""
        if not shutil.which("cc"):
            return "it needs a C compiler (apt install gcc libc6-dev)"
        if len(self.stage.cores) < self.cores_needed:
            return f"it needs {self.cores_needed} cores (a larger machine, or --cores 0,1)"
        return ""

    @property
    def how(self) -> str:
        """What the caption says of how it was measured."""
        return self.stage.how

    @abstractmethod
    def measure(self, say: Say) -> Measured[R]:
        """Measure; `say` is told what goes on. Raises BenchError when something fails."""

    @abstractmethod
    def text(self, rows: Sequence[R]) -> str:
        """Return the rows as Markdown that reads well in a terminal too."""

    def brief(self, rows: Sequence[R]) -> str:  # noqa: ARG002  most have none
        """Return the few of the rows that README shows, as Markdown; empty for none."""
        return ""

    def draw(self, rows: Sequence[R], path: Path, caption: str) -> None:
        """Write the plot `figure` to `path`. Raises BenchError when it cannot."""
