"""The files by which a daemon is found: each that goes, or is another's, is noticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from framebus.names import CameraNames

from capture_daemon.ownership.runtime_files_watch import RuntimeFilesWatch


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, ...]:
    paths = (tmp_path / "camera.lock", tmp_path / "camera.control")
    for path in paths:
        path.touch()
    return paths


def test_nothing_is_lost_while_all_files_lie_where_they_were(files: tuple[Path, ...]) -> None:
    files[0].write_text("another text is the same file")
    assert RuntimeFilesWatch(files).lost() is None


@pytest.mark.parametrize("number", [0, 1])
def test_a_removed_file_is_named(files: tuple[Path, ...], number: int) -> None:
    runtime_files = RuntimeFilesWatch(files)
    files[number].unlink()
    assert runtime_files.lost() == files[number]


def test_another_file_in_its_place_is_a_loss(files: tuple[Path, ...], tmp_path: Path) -> None:
    runtime_files = RuntimeFilesWatch(files)
    other = tmp_path / "other"
    other.touch()
    os.replace(other, files[1])
    assert runtime_files.lost() == files[1]


def test_a_directory_that_became_a_file_is_a_loss_of_all_in_it(tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    lock = runtime / "camera.lock"
    lock.touch()
    runtime_files = RuntimeFilesWatch([lock])
    lock.unlink()
    runtime.rmdir()
    runtime.touch()
    assert runtime_files.lost() == lock


def test_a_file_that_was_never_there_is_no_loss(tmp_path: Path) -> None:
    assert RuntimeFilesWatch([tmp_path / "none"]).lost() is None


def test_a_daemon_is_found_by_its_lock_its_ring_and_its_four_sockets(tmp_path: Path) -> None:
    names = CameraNames(tmp_path)
    in_runtime = {path.name for path in names.files if path.parent == tmp_path}
    suffixes = ("lock", "ring", "control", "queries", "frames", "events")
    assert in_runtime == {f"camera.{suffix}" for suffix in suffixes}
