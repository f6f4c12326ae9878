"""A ring that a test publishes into, for the page to show."""

from __future__ import annotations

from tests.rigs.fixtures import bus, live_bus

__all__ = ["bus", "live_bus"]
