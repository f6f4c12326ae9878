from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from framebus import names
from framebus.errors import BadCameraName, NoPermission, UsageError
from framebus.names import CameraNames
from framebus.trusted_files import create_runtime_dir


@pytest.mark.parametrize("name", ["camera", "a", "0", "front_left-2", "a" * 32])
def test_good_camera_names_are_returned_unchanged(name: str) -> None:
    assert names.check_camera_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "-a", "_a", "a" * 33, "a/b", "..", "a b", "a\n", "é", "a\0", "@81-0", "a.b"]
)
def test_bad_camera_names_are_refused(name: str) -> None:
    with pytest.raises(BadCameraName):
        CameraNames(Path("/run/x"), name)


def test_a_source_in_a_names_place_is_not_quoted() -> None:
    for source in ("http://me:secret@camera/live", "me:secret@camera", "ffmpeg:rtsp://h/secret"):
        with pytest.raises(BadCameraName) as failure:
            names.check_camera_name(source)
        assert "secret" not in str(failure.value)


def test_runtime_is_the_explicit_one_first_then_systemds() -> None:
    assert names.runtime_dir({"FRAMEBUS_RUNTIME_DIR": "/a", "RUNTIME_DIRECTORY": "/b"}) == Path(
        "/a"
    )
    assert names.runtime_dir({"RUNTIME_DIRECTORY": "/b:/c"}) == Path("/b")


def test_runtime_falls_back_to_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert names.runtime_dir({"XDG_RUNTIME_DIR": "/run/user/7"}) == Path("/run/user/7/framebus")
    private = names.runtime_dir({})
    assert private == Path(tempfile.gettempdir()) / f"framebus-{os.getuid()}"


def test_runtime_dir_is_created_for_owner_and_group_only(tmp_path: Path) -> None:
    made = create_runtime_dir(tmp_path / "x" / "y")
    assert made.stat().st_mode & 0o027 == 0


def test_runtime_dir_too_long_for_a_socket_is_refused_and_not_made(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 80)
    with pytest.raises(UsageError, match="FRAMEBUS_RUNTIME_DIR"):
        create_runtime_dir(long)
    assert not long.exists()


def test_runtime_dir_that_cannot_be_made_names_the_remedy(runtime: Path) -> None:
    (runtime / "file").write_text("")
    with pytest.raises(NoPermission, match="FRAMEBUS_RUNTIME_DIR"):
        create_runtime_dir(runtime / "file" / "x")


def test_two_runtime_dirs_have_two_segments(tmp_path: Path) -> None:
    one, two = CameraNames(tmp_path / "1"), CameraNames(tmp_path / "2")
    assert one.segment_prefix != two.segment_prefix
    assert one.segment_prefix.startswith("framebus-")
    assert one.segment_prefix.endswith("-camera.")


def test_cameras_are_found_by_their_lock_files(tmp_path: Path) -> None:
    assert names.cameras(tmp_path / "missing") == []
    for entry in ("b.lock", "a.lock", "a.control", "@81-0.lock", "Bad.lock", "x.txt"):
        (tmp_path / entry).write_text("")
    assert names.cameras(tmp_path) == ["a", "b"]
    assert names.device_lock(tmp_path, os.makedev(81, 0)) == tmp_path / "@81-0.lock"


def test_two_runtime_dirs_with_a_camera_of_one_name_have_two_journals(tmp_path: Path) -> None:
    journals = {names.incident_journal(tmp_path, tmp_path / each, "front") for each in "12"}
    assert len(journals) == 2
    assert {path.parent for path in journals} == {tmp_path}
    assert all(path.name.startswith("front.") for path in journals)
