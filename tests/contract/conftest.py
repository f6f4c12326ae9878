"""What the tests of sources share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_daemon.sources.base import Interrupt, Request
from capture_daemon.sources.file.source import FileSource
from tests.contract.playing import FAST, Play


@pytest.fixture
def play(interrupt: Interrupt) -> Iterator[Play]:
    playing: list[FileSource] = []

    def make(path: Path, request: Request = FAST, away_s: float = 0.0) -> FileSource:
        playing.append(FileSource(str(path), request, interrupt, away_s=away_s))
        return playing[-1]

    yield make
    for source in playing:
        source.close()
