"""Files that a test has played."""

from __future__ import annotations

from collections.abc import Callable

from capture_daemon.sources.base import Request
from capture_daemon.sources.file.source import FileSource
from tests.contract.source_contract import take
from tests.samples import pictures

FRAMES = [pictures.jpeg(number) for number in range(3)]
FAST = Request(fps=500)
Play = Callable[..., FileSource]


def rejected(source: FileSource, count: int) -> list[str]:
    """Read `count` frames; return why each is none, empty for those that are some."""
    return [frame.captured.reject for frame in take(source, count)]


def datas(source: FileSource, count: int) -> list[bytes]:
    return [frame.data for frame in take(source, count)]
