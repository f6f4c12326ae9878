"""Drives the load client (load.c) and reads what it reports."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Report
from benchmarks.program import Program

_READY_S = 75.0
"""Above load.c's own 60 s, so that its word on the matter is the one that is heard."""
_REPORT_S = 10.0


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which header of a part carries its capture time, seconds, and the clock it was read from."""

    header: str = "X-Timestamp"
    clock: str = "realtime"


class Viewers:
    """Many viewers of one stream, in a process of their own."""

    def __init__(
        self,
        load: Path,
        *,
        port: int,
        path: str,
        count: int,
        stamp: Stamp,
        cores: Collection[int],
    ) -> None:
        """Connect `count` viewers to http://127.0.0.1:`port``path`, from processors `cores`."""
        self._program = Program(
            [load, str(port), path, str(count), stamp.header, stamp.clock], cores=cores
        )

    @property
    def pid(self) -> int:
        """The client's process id."""
        return self._program.pid

    def wait(self) -> None:
        """Return when each viewer has received a part. Raises BenchError when one does not."""
        self._program.listen(_READY_S)

    def measure(self) -> None:
        """Count from now on."""
        self._program.tell("measure")

    def report(self) -> Report:
        """Return what was received since `measure`."""
        self._program.tell("report")
        return Report.parse(self._program.listen(_REPORT_S))

    def close(self) -> None:
        """Disconnect all of them."""
        self._program.close()
