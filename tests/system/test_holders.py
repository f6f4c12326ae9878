"""Who holds a device, asked of this machine's /proc: real processes, and devices that stand in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_daemon.diagnosis.holders import find
from capture_daemon.diagnosis.records import Holder
from tests.programs.holders import holding

ZERO = "/dev/zero"
"""It can be mapped, and hardly anybody else has it open."""


@pytest.fixture
def terminal() -> Iterator[str]:
    """A device that nobody else has."""
    ours, theirs = os.openpty()
    path = os.ttyname(theirs)
    os.close(theirs)
    yield path
    os.close(ours)


def holder_of(path: str, pid: int) -> Holder | None:
    found = find(os.stat(path).st_rdev).found
    return next((each for each in found if each.pid == pid), None)


def test_nobody_holds_a_device_that_nobody_has(terminal: str) -> None:
    assert find(os.stat(terminal).st_rdev).found == ()


def test_a_descriptor_is_found_with_who_has_it(terminal: str) -> None:
    before_ns = time.time_ns()
    with holding("descriptor", terminal) as pid:
        (holder,) = find(os.stat(terminal).st_rdev).found
    assert holder.pid == pid
    assert holder.how == ("descriptor",)
    assert f"-m tests.programs.holder_program … {terminal}" in holder.command
    assert holder.user
    assert not holder.ours
    assert abs(holder.since_utc_ns - before_ns) < 60e9


def test_another_device_of_the_same_driver_is_not_meant(terminal: str) -> None:
    with holding("descriptor", terminal) as pid:
        assert holder_of(ZERO, pid) is None


def test_a_mapping_without_any_descriptor_is_found() -> None:
    with holding("mapping", ZERO) as pid:
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert ZERO not in held
        holder = holder_of(ZERO, pid)
    assert holder is not None
    assert holder.how == ("mapping",)


def test_a_dead_leader_with_a_live_thread_is_found(terminal: str) -> None:
    with holding("dead-leader", terminal) as pid:
        assert os.listdir(f"/proc/{pid}/fd") == []
        holder = holder_of(terminal, pid)
    assert holder is not None
    assert holder.how == ("descriptor", "dead-leader")
    assert "tests.programs.holder_program" in holder.command


def test_a_lock_files_pid_is_a_daemon_of_ours(terminal: str) -> None:
    with holding("descriptor", terminal) as pid:
        (holder,) = find(os.stat(terminal).st_rdev, daemons=frozenset({pid})).found
    assert holder.ours


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_sees_holders_of_other_users_and_user_namespaces(terminal: str) -> None:
    os.chmod(terminal, 0o666)
    with holding("descriptor", terminal, wrapper=("unshare", "--user")) as pid:
        assert holder_of(terminal, pid) is not None


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_what_permission_hides_is_counted_and_the_command_that_sees_it_is_said(
    terminal: str,
) -> None:
    with holding("descriptor", terminal):
        find(os.stat(terminal).st_rdev)  # nobody may not be allowed to import what it needs
        os.seteuid(65534)
        try:
            seen = find(os.stat(terminal).st_rdev)
        finally:
            os.seteuid(0)
    assert seen.found == ()
    assert seen.unseen > 0
    assert "sudo framebus doctor" in seen.notes()[-1]


def test_processes_that_vanish_meanwhile_are_passed_over(tmp_path: Path, terminal: str) -> None:
    (tmp_path / "stat").write_text("cpu 1\nbtime 1795387146\n")
    (tmp_path / "4711").mkdir()
    (tmp_path / "4712").mkdir()
    (tmp_path / "4712" / "stat").write_text("half a li")
    found = find(os.stat(terminal).st_rdev, proc=tmp_path)
    assert found.found == ()
    assert found.unseen == 0
