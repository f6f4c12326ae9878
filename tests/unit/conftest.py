"""A small ring and one reader of it, for the tests of the ring; a token, for those of the gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter
from framebus.secret_files import make_secret, read_secret


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


@pytest.fixture
def token(tmp_path: Path) -> str:
    make_secret(tmp_path / "web.token")
    return read_secret(tmp_path / "web.token")
