"""A small ring, and one reader of it, for the tests of the ring."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter


@pytest.fixture
def writer(runtime: Path) -> Iterator[RingWriter]:
    writer = RingWriter.create(CameraNames(runtime), capacity=layout.SMALLEST_CAPACITY)
    yield writer
    writer.close()


@pytest.fixture
def reader(runtime: Path, writer: RingWriter) -> Iterator[RingReader]:
    reader = RingReader.attach(CameraNames(runtime))
    yield reader
    reader.close()
