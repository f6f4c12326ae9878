from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from framebus.errors import NoPermission, UsageError
from framebus.secret_files import make_secret, read_or_make_secret, read_secret


def test_a_secret_is_made_once_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "state" / "web.token"
    secret = read_or_make_secret(path)
    assert len(secret) >= 43  # 32 bytes in base64
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read_or_make_secret(path) == secret
    make_secret(path)
    assert read_secret(path) == secret
    assert [each.name for each in path.parent.iterdir()] == ["web.token"]


def test_those_who_make_it_at_once_all_get_the_same(tmp_path: Path) -> None:
    path, found = tmp_path / "web.token", set()
    start = threading.Barrier(8)

    def make() -> None:
        start.wait()
        found.add(read_or_make_secret(path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1


def test_a_file_that_others_may_read_or_write_is_refused_with_the_command_that_mends_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "web.token"
    make_secret(path)
    for mode in (0o640, 0o604, 0o620, 0o602):
        path.chmod(mode)
        with pytest.raises(NoPermission, match="chmod 0600"):
            read_secret(path)
    path.chmod(0o640)
    assert read_secret(path, group_may_read=True)
    path.chmod(0o660)
    with pytest.raises(NoPermission, match="chmod 0640"):
        read_secret(path, group_may_read=True)


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="gives a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "web.token"
    make_secret(path)
    os.chown(path, 61001, -1)
    with pytest.raises(NoPermission, match="belongs to user id 61001"):
        read_secret(path)


@pytest.mark.parametrize(
    "text", ["", "short\n", "two lines\nof text\n", "x" * 1025, "tab\tin it\n"]
)
def test_what_is_no_secret_is_refused_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "password"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="one line of 8 to 1024") as error:
        read_secret(path)
    assert not text.strip() or text.strip() not in str(error.value)


def test_a_directory_or_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (pipe, tmp_path):
        with pytest.raises(UsageError, match="is no file"):
            read_secret(path)


def test_a_directory_that_cannot_be_made_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoPermission, match="FRAMEBUS_STATE_DIR"):
        make_secret(tmp_path / "file" / "web.token")
