"""What the tests of sources share, and those of the pump."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_daemon.sources.base import Interrupt, Request
from capture_daemon.sources.file.source import FileSource
from tests.contract.playing import FAST, Play
from tests.rigs.pumped_feed import Bench, CountingPump, patience


@pytest.fixture
def play(interrupt: Interrupt) -> Iterator[Play]:
    playing: list[FileSource] = []

    def make(path: Path, request: Request = FAST, away_s: float = 0.0) -> FileSource:
        playing.append(FileSource(str(path), request, interrupt, away_s=away_s))
        return playing[-1]

    yield make
    for source in playing:
        source.close()


@pytest.fixture(params=["in C", "in Python"])
def hasty(request: pytest.FixtureRequest, runtime: Path) -> Iterator[Bench]:
    """A feed that looks for frames by itself, and shows the newest again after a second of none."""
    bench = Bench(runtime, CountingPump() if request.param == "in C" else None)
    yield bench
    bench.close()


@pytest.fixture
def patient(hasty: Bench) -> Iterator[Bench]:
    """One that would wait for an hour, so that a machine that stands still changes nothing."""
    with patience():
        yield hasty
