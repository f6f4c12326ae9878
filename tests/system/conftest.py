"""A ring that a test publishes into, and a web tier over it; a file may have its own instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bus import Bus
from tests.system.webtier import WebTier


@pytest.fixture
def tier(runtime: Path) -> Iterator[WebTier]:
    tier = WebTier(runtime)
    yield tier
    tier.close()


@pytest.fixture
def bus(runtime: Path) -> Iterator[Bus]:
    bus = Bus(runtime)
    yield bus
    bus.close()
