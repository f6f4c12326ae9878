"""What the ring's segment keeps from Python's resource tracker, and what it does not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

import pytest
from framebus.names import segment_path
from framebus.ring.untracked import UntrackedSharedMemory

NAME = f"framebus-test-{os.getpid()}"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """What the tracker is told: the call and the name."""
    calls: list[tuple[str, str]] = []
    for call in ("register", "unregister"):
        monkeypatch.setattr(
            resource_tracker, call, lambda name, kind, call=call: calls.append((call, name))
        )
    yield calls
    segment_path(NAME).unlink(missing_ok=True)


def test_the_tracker_is_told_neither_of_the_segment_nor_of_its_end(
    told: list[tuple[str, str]],
) -> None:
    segment = UntrackedSharedMemory(NAME, 4096)
    assert isinstance(segment, SharedMemory)
    assert segment_path(NAME).stat().st_size == len(segment.buf) == 4096
    segment.close()
    segment.unlink()
    assert not segment_path(NAME).exists()
    assert told == []


def test_a_segment_that_cannot_be_mapped_is_removed_and_the_tracker_is_not_told(
    told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(fd: int) -> os.stat_result:
        raise OSError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", refused)
        with pytest.raises(OSError, match="no room"):
            UntrackedSharedMemory(NAME, 4096)
    assert not segment_path(NAME).exists()
    assert told == []


def test_what_else_a_process_makes_is_tracked_as_ever(told: list[tuple[str, str]]) -> None:
    segment = UntrackedSharedMemory(NAME, 4096)
    other = SharedMemory(create=True, size=4096)
    for each in (segment, other):
        each.close()
        each.unlink()
    assert told == [("register", f"/{other.name}"), ("unregister", f"/{other.name}")]


def test_a_name_that_is_taken_is_an_error_and_what_lies_there_stays(
    told: list[tuple[str, str]],
) -> None:
    segment_path(NAME).write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        UntrackedSharedMemory(NAME, 4096)
    assert segment_path(NAME).read_bytes() == b"somebody's"
