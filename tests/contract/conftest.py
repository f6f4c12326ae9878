"""What the tests of sources share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from capture_daemon.sources.base import Interrupt


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    interrupt = Interrupt()
    yield interrupt
    interrupt.close()
