"""A small ring and one reader of it; a web application without a server, and a token for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from framebus.names import CameraNames
from framebus.ring import layout
from framebus.ring.reader import RingReader
from framebus.ring.writer import RingWriter
from framebus.secret_files import make_secret, read_secret
from hypothesis import settings

from capture_daemon.lifecycle.controller import CaptureController
from tests.rigs.announced_ring import AnnouncedRing
from tests.rigs.controllers import TEST, Notes, S
from tests.rigs.fixtures import bus, patient_bus
from web_workers.app import create_app
from web_workers.settings import Settings

__all__ = ["bus", "patient_bus"]

# How fast a test is depends on what else the machine does.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")


@pytest.fixture
def notes() -> Notes:
    """What a controller has asked of its capture thread."""
    return Notes()


@pytest.fixture
def controller(notes: Notes) -> CaptureController:
    """A controller of the test pattern that nobody has started yet."""
    return CaptureController(capture=notes, request=TEST, jitter=lambda: 0.0, now_ns=100 * S)


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
def announced_ring(runtime: Path) -> Iterator[AnnouncedRing]:
    ring = AnnouncedRing(runtime)
    yield ring
    ring.close()


@pytest.fixture
def token(tmp_path: Path) -> str:
    make_secret(tmp_path / "web.token")
    return read_secret(tmp_path / "web.token")


@pytest.fixture
def app(runtime: Path) -> Flask:
    """A web application whom anybody may look at; a file may have its own instead."""
    return create_app(Settings(runtime))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
