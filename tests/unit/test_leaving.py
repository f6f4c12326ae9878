"""The end of a daemon whose source does not let go: what it removes, and what it leaves."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.ring.writer import RingWriter

from capture_daemon.ownership.locks import Locks
from capture_daemon.process import leave_at_once
from tests.helpers.segments import remove_segments


@pytest.mark.parametrize("renewing", [True, False])
def test_the_ring_stays_for_a_successor_only(
    renewing: bool, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(logging, "shutdown", lambda: None)
    names = CameraNames(runtime)
    writer = RingWriter.create(names, capacity=1 << 20)
    names.control_socket.touch()
    with pytest.raises(SystemExit):
        leave_at_once(names, Locks(), ring=None if renewing else writer.path)
    assert (writer.path.exists(), names.ring_file.exists()) == (renewing, renewing)
    assert not names.control_socket.exists()
    remove_segments(names)
    writer.close()
