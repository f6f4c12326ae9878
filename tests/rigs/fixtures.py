"""Fixtures that tests of several folders have: their conftest.py imports them from here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.waiting import until
from tests.rigs.bus import Bus


@pytest.fixture
def bus(runtime: Path) -> Iterator[Bus]:
    """A ring of 30 frames a second, which the test publishes by hand."""
    bus = Bus(runtime)
    yield bus
    bus.close()


@pytest.fixture
def patient_bus(runtime: Path) -> Iterator[Bus]:
    """The same, whose frames stay fresh for half a minute, however slow this machine is."""
    bus = Bus(runtime, fps=0.1)
    yield bus
    bus.close()


@pytest.fixture
def live_bus(bus: Bus) -> Bus:
    """A ring with a frame each 33 ms, and one to begin with."""
    bus.start()
    until(lambda: bus.writer.cursor, what="a frame")
    return bus
