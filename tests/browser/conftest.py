"""A ring that a test publishes into and a web tier over it, for the page to show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.web_tier import WebTier
from tests.rigs.fixtures import bus, live_bus

__all__ = ["bus", "live_bus"]


@pytest.fixture
def tier(runtime: Path) -> Iterator[WebTier]:
    tier = WebTier(runtime, workers=2)
    yield tier
    tier.close()
