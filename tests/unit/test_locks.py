"""Lock files: who has one, who is told so, and what happens to the file."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from framebus.errors import CameraHeld, NoPermission, OutOfResources, Untrusted
from framebus.liveness import holder

from capture_daemon.ownership.locks import Locks, how_to_end, start_time
from tests.helpers.locks import lock_held_on
from tests.samples.planted_files import KINDS, put


def seen_by_another_process(path: Path) -> int:
    """Who holds the lock by the word of a process that does not."""
    code = "import sys; from pathlib import Path; from framebus.liveness import holder; "
    code += "print(holder(Path(sys.argv[1])))"
    return int(subprocess.check_output([sys.executable, "-c", code, str(path)]))


def test_a_held_lock_is_refused_and_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with lock_held_on(path) as pid:
        locks = Locks()
        with pytest.raises(CameraHeld, match=f"camera 'x' is held by process {pid}") as error:
            locks.acquire(path, "camera 'x'")
        assert error.value.pid == pid
        with pytest.raises(CameraHeld):
            locks.check(path, "camera 'x'")
    locks.acquire(path, "camera 'x'")
    locks.release_all()


def test_the_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with lock_held_on(path):
        pass
    locks = Locks()
    locks.check(path, "x")
    locks.acquire(path, "x")
    assert path.read_text() == f"{os.getpid()}\n{start_time(os.getpid())}\n"
    locks.release_all()


def test_taking_and_checking_ones_own_lock_again_does_not_drop_it(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    locks = Locks()
    locks.acquire(path, "x")
    locks.acquire(path, "x")
    locks.check(path, "x")
    seen = subprocess.run(
        [sys.executable, "-c", "import sys; from framebus.liveness import holder; "
         "from pathlib import Path; print(holder(Path(sys.argv[1])))", str(path)],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert int(seen.stdout) == os.getpid()
    locks.release_all()


def test_what_one_part_of_the_daemon_has_another_does_not_get(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    locks, camera, fallback = Locks(), object(), object()
    locks.acquire(path, "x", camera)
    locks.acquire(path, "x", camera)
    with pytest.raises(CameraHeld, match="in this daemon already"):
        locks.acquire(path, "x", fallback)
    assert holder(path) == 0  # it asks for other processes' locks
    locks.release(path)
    locks.acquire(path, "x", fallback)
    locks.release_all()


def test_release_removes_the_file_and_is_harmless_twice(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    locks = Locks()
    locks.acquire(path, "x")
    locks.release(path)
    locks.release(path)
    assert not path.exists()
    assert holder(path) == 0


def test_a_lock_on_a_file_that_was_unlinked_meanwhile_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.lock"
    lockf, calls = fcntl.lockf, []

    def lock_a_file_that_goes_away(fd: int, how: int) -> None:
        calls.append(fd)
        if len(calls) == 1:
            path.unlink()  # its holder ends right now
        lockf(fd, how)

    monkeypatch.setattr(fcntl, "lockf", lock_a_file_that_goes_away)
    locks = Locks()
    locks.acquire(path, "x")
    assert len(calls) == 2
    assert os.path.samestat(path.stat(), os.fstat(calls[1]))
    locks.release_all()


def test_a_planted_symlink_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(NoPermission, match=r"x\.lock"):
        Locks().acquire(path, "x")
    assert not (tmp_path / "precious").exists()


def test_a_lock_file_that_cannot_be_written_is_let_go_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    locks, path = Locks(), tmp_path / "x.lock"
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OutOfResources, match="make room"):
            locks.acquire(path, "x")
    with lock_held_on(path), pytest.raises(CameraHeld):
        locks.acquire(path, "x")


def test_a_lock_file_that_was_removed_and_made_anew_by_another_is_not_taken_along(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.lock"
    locks = Locks()
    locks.acquire(path, "x")
    path.unlink()
    with lock_held_on(path) as pid:
        locks.release_all()
        assert holder(path) == pid


def test_who_may_only_read_the_file_cannot_keep_a_daemon_out_by_locking_it(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    path.write_text("1\n")
    path.chmod(0o640)
    with lock_held_on(path, "shared"):
        assert holder(path) == 0, "a reader's lock was taken for a daemon's"
        locks = Locks()
        locks.check(path, "x")
        locks.acquire(path, "x")
        assert seen_by_another_process(path) == os.getpid()
        locks.release_all()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_lock_file_of_ours_is_an_error_with_the_remedy_and_held_by_nobody(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "x.lock"
    put(kind, path)
    assert holder(path) == 0
    locks = Locks()
    locks.check(path, "x")
    with pytest.raises(NoPermission, match=rf"(remove it|chmod go-w {path})$"):
        locks.acquire(path, "x")


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to give files away")
def test_a_lock_file_of_somebody_else_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with lock_held_on(path) as pid:
        assert holder(path) == pid
        os.chown(path, 65534, 65534)
        assert holder(path) == 0
        with pytest.raises(Untrusted, match="belongs to user id 65534"):
            Locks().acquire(path, "x")


@pytest.mark.parametrize(
    ("words", "cgroup", "remedy"),
    [
        ("framebus\0capture\0", "0::/user.slice/session-3.scope\n", "; `kill 7` ends it"),
        (
            "python3\0-P\0-m\0framebus.cli.launch\x00412\x00capture_daemon\0",
            "0::/user.slice/session-3.scope\n",
            ", of the framebus up that `kill 412` ends, with all its cameras",
        ),
        (
            "framebus\0capture\0",
            "0::/system.slice/system-x.slice/framebus-capture@front.service\n",
            "; `sudo systemctl stop framebus-capture@front.service` ends it",
        ),
    ],
)
def test_a_daemon_that_would_be_started_again_is_ended_with_what_starts_it(
    tmp_path: Path, words: str, cgroup: str, remedy: str
) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7/cmdline").write_text(words)
    (tmp_path / "7/cgroup").write_text(cgroup)
    assert how_to_end(7, tmp_path) == remedy
    assert how_to_end(8, tmp_path) == "; `kill 8` ends it"
    assert how_to_end(0, tmp_path) == ""
