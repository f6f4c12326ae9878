"""Whose files are believed: the directory's owner's, if nobody else could have put them there."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from framebus.errors import CameraAbsent, NoPermission, Untrusted, UsageError
from framebus.trusted_files import check_socket, create_runtime_dir, open_trusted, owner_of

from tests.helpers.descriptors import opened
from tests.samples.planted_files import KINDS, put

SOMEBODY = 65534
root = [
    pytest.mark.root,
    pytest.mark.skipif(os.getuid() != 0, reason="needs root to give files away"),
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "run"
    made.mkdir(mode=0o750)
    return made


def test_a_directory_of_our_own_is_trusted(directory: Path) -> None:
    assert owner_of(directory) == os.geteuid()


def test_a_directory_that_is_not_there_yet_is_no_fault(directory: Path) -> None:
    with pytest.raises(CameraAbsent):
        owner_of(directory / "none")


@pytest.mark.parametrize("mode", [0o770, 0o752, 0o777, 0o2775])
def test_a_directory_that_others_may_write_is_refused_and_the_remedy_is_right(
    directory: Path, mode: int
) -> None:
    directory.chmod(mode)
    for use in (owner_of, create_runtime_dir):
        with pytest.raises(Untrusted, match=f"chmod go-w {directory}$"):
            use(directory)
    directory.chmod(mode & ~0o022)
    assert create_runtime_dir(directory) == directory


@pytest.mark.parametrize("use", [owner_of, create_runtime_dir])
def test_a_directory_that_is_shared_on_purpose_is_to_stay_so(
    directory: Path, use: Callable[[Path], object]
) -> None:
    directory.chmod(0o1777)  # as /tmp
    with pytest.raises(Untrusted, match="set FRAMEBUS_RUNTIME_DIR to a directory of your own; or"):
        use(directory)


@pytest.mark.parametrize("kind", ["fifo", "link", "socket"])
def test_what_is_no_directory_is_refused(tmp_path: Path, kind: str) -> None:
    put(kind, tmp_path / "run")
    with pytest.raises(Untrusted, match="FRAMEBUS_RUNTIME_DIR"):
        owner_of(tmp_path / "run")


def test_a_link_to_a_directory_is_none(tmp_path: Path, directory: Path) -> None:
    (tmp_path / "link").symlink_to(directory)
    with pytest.raises(Untrusted, match="to the directory itself"):
        owner_of(tmp_path / "link")
    (directory / "inner").mkdir(mode=0o750)
    assert owner_of(tmp_path / "link" / "inner") == os.geteuid(), "a link on the way is none of it"


class TestAnotherUsersDirectory:
    pytestmark = root

    def test_is_trusted_where_only_root_or_we_could_have_put_it(self, directory: Path) -> None:
        os.chown(directory, SOMEBODY, SOMEBODY)
        assert owner_of(directory) == SOMEBODY

    @pytest.mark.parametrize("mode", [0o775, 0o777, 0o1777])
    def test_is_refused_where_that_user_could_have_put_it(self, directory: Path, mode: int) -> None:
        os.chown(directory, SOMEBODY, SOMEBODY)
        directory.parent.chmod(mode)
        with pytest.raises(Untrusted, match=f"belongs to user id {SOMEBODY}"):
            owner_of(directory)

    def test_is_refused_in_a_place_of_that_user(self, directory: Path) -> None:
        for path in (directory, directory.parent):
            os.chown(path, SOMEBODY, SOMEBODY)
        with pytest.raises(Untrusted):
            owner_of(directory)

    def test_is_nobodys_to_serve_in_not_even_roots(self, directory: Path) -> None:
        os.chown(directory, SOMEBODY, SOMEBODY)
        with pytest.raises(UsageError, match=f"belongs to user id {SOMEBODY}, not to you"):
            create_runtime_dir(directory)

    def test_files_in_it_must_be_that_users(self, directory: Path) -> None:
        path = directory / "x"
        path.write_text("")
        with pytest.raises(Untrusted, match=f"not to {SOMEBODY} as it should: remove it$"):
            open_trusted(path, SOMEBODY)
        os.chown(path, SOMEBODY, SOMEBODY)
        os.close(open_trusted(path, SOMEBODY))

    def test_a_socket_in_it_must_be_that_users(self, directory: Path) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(directory / "s"))
            check_socket(directory / "s", os.geteuid())
            with pytest.raises(Untrusted):
                check_socket(directory / "s", SOMEBODY)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT])
def test_what_others_could_have_made_is_not_opened_and_nothing_waits(
    directory: Path, kind: str, flags: int
) -> None:
    path = directory / "x"
    put(kind, path)
    before = opened()
    with pytest.raises(Untrusted, match=rf"{path}.*(remove it|chmod go-w {path})$"):
        open_trusted(path, os.geteuid(), flags=flags)
    assert opened() == before


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_who_may_read_does_not_matter(directory: Path, mode: int) -> None:
    path = directory / "x"
    path.touch()
    path.chmod(mode)
    os.close(open_trusted(path, os.geteuid()))


def test_a_file_that_is_not_there_is_the_callers_to_explain(directory: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_trusted(directory / "x", os.geteuid())


@pytest.mark.parametrize("kind", ["fifo", "link", "directory", "writable"])
def test_what_is_no_socket_is_not_connected_to(directory: Path, kind: str) -> None:
    put(kind, directory / "s")
    with pytest.raises(Untrusted, match="is no socket"):
        check_socket(directory / "s", os.geteuid())


def test_a_directory_that_we_may_not_write_names_the_remedy(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(NoPermission, match=rf"chmod u\+rwx {directory}"):
        create_runtime_dir(directory)
