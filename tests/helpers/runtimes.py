"""Runtime directories of their own, for a test or for several that share what runs in one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from framebus.names import SHARED_MEMORY, segments_prefix


@contextmanager
def private_runtime() -> Iterator[Path]:
    """Give this process and its children a runtime directory, short enough for a socket's path.

    Fails when a segment of any of its cameras is left in shared memory.
    """
    path = Path(tempfile.mkdtemp(prefix="fb-"))
    state = Path(tempfile.mkdtemp(prefix="fb-state-"))
    prefix = segments_prefix(path)
    left: list[str] = []
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("FRAMEBUS_RUNTIME_DIR", str(path))
            environment.setenv("FRAMEBUS_STATE_DIR", str(state))
            yield path
    finally:
        shutil.rmtree(path)
        shutil.rmtree(state)
        left += [name for name in os.listdir(SHARED_MEMORY) if name.startswith(prefix)]
        for name in left:
            (SHARED_MEMORY / name).unlink()
    assert not left, f"segments left behind: {left}"
