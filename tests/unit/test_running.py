"""Which cameras run, by their locks alone, and what is planted where others may write."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from framebus.names import CameraNames
from framebus.running import examine, others, running

from tests.helpers.locks import lock_held

BOUND = """\
Num       RefCount Protocol Flags    Type St Inode Path
ffff0001: 00000002 00000000 00010000 0001 01 11111 {directory}/front.control
ffff0002: 00000002 00000000 00010000 0001 01 11112 {directory}/front.events
ffff0003: 00000002 00000000 00010000 0001 01 11113 {directory}/Bad name.control
ffff0004: 00000002 00000000 00010000 0001 01 11114 {directory}/\x1b[2J/x.control
ffff0005: 00000002 00000000 00010000 0001 01 11115 relative.control
ffff0006: 00000002 00000000 00010000 0001 01 11116 @abstract.control
ffff0007: 00000002 00000000 00010000 0001 01 11117
"""


@pytest.fixture
def front(runtime: Path) -> CameraNames:
    return CameraNames(runtime, "front")


def find(than: Path, place: Path, **where: Path) -> list[Path]:
    """The directories that `others` finds, below `place` where nothing else is said."""
    nowhere = {name: place / name for name in ("sessions", "temporary", "system", "bound")}
    return [each.path for each in others(than, **{**nowhere, **where})]


def test_a_camera_runs_while_its_lock_is_held(front: CameraNames) -> None:
    front.lock.touch()
    CameraNames(front.runtime, "back").lock.touch()
    assert running(front.runtime) == []
    with lock_held(front) as pid:
        assert [(each.name, each.pid) for each in running(front.runtime)] == [("front", pid)]
    assert running(front.runtime / "missing") == []


def test_what_is_no_lock_file_is_no_camera_and_nothing_waits_for_it(
    runtime: Path, tmp_path: Path
) -> None:
    os.mkfifo(runtime / "pipe.lock")
    (runtime / "directory.lock").mkdir()
    with lock_held(CameraNames(tmp_path, "front")), lock_held(CameraNames(runtime, "open")):
        (runtime / "link.lock").symlink_to(tmp_path / "front.lock")
        (runtime / "open.lock").chmod(0o666)
        assert running(runtime) == []


def test_directories_are_found_where_framebus_makes_them(tmp_path: Path, runtime: Path) -> None:
    mine = os.getuid()
    session, private = tmp_path / "7" / "framebus", tmp_path / f"framebus-{mine}"
    system, planted = tmp_path / "system", tmp_path / f"framebus-{mine + 1}"
    with ExitStack() as stack:
        for directory in (session, private, system, planted):
            directory.mkdir(parents=True, mode=0o750)
            stack.enter_context(lock_held(CameraNames(directory, "front")))
        where = {"sessions": tmp_path, "temporary": tmp_path, "system": system}
        assert set(find(runtime, tmp_path, **where)) == {session, private, system}
        assert private not in find(private, tmp_path, **where)


def test_directories_are_found_by_the_sockets_that_are_bound_in_them(
    tmp_path: Path, front: CameraNames
) -> None:
    table = tmp_path / "unix"
    table.write_text(BOUND.format(directory=front.runtime))
    assert find(tmp_path, tmp_path, bound=table) == []  # a name of a socket is no camera
    with lock_held(front):
        assert find(tmp_path, tmp_path, bound=table) == [front.runtime]
        (found,) = others(tmp_path, bound=table, sessions=table, temporary=table, system=table)
        assert (found.ours, found.readable, found.owner) == (True, True, os.getuid())


def test_a_link_and_a_directory_that_anybody_may_write_are_none(
    tmp_path: Path, front: CameraNames
) -> None:
    link = tmp_path / "link"
    link.symlink_to(front.runtime)
    assert examine(link) is None
    assert examine(tmp_path / "missing") is None
    front.runtime.chmod(0o777)
    assert examine(front.runtime) is None
    front.runtime.chmod(0o700)
    assert examine(front.runtime) is not None
