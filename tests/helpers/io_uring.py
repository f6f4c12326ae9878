"""io_uring for tests; where the kernel does not allow it, they are left out."""

from __future__ import annotations

import pytest

from web_workers.wire.uring import ENTRIES, Uring


def uring(entries: int = ENTRIES) -> Uring:
    """Make one, to be closed."""
    try:
        return Uring(entries)
    except OSError as error:
        pytest.skip(f"io_uring is not allowed here: {error}")
