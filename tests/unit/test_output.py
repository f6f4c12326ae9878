from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from framebus.frame import Frame
from framebus.invocation.output import (
    OutputFailed,
    check_directory,
    check_file,
    file_name,
    write_file,
)


def frame(sequence: int, captured_utc_ns: int) -> Frame:
    return Frame(
        jpeg=b"",
        epoch=1,
        sequence=sequence,
        device_sequence=0,
        captured_ns=0,
        captured_utc_ns=captured_utc_ns,
        published_ns=0,
        width=0,
        height=0,
    )


def test_file_name_is_the_time_in_utc_to_the_microsecond_and_the_sequence() -> None:
    assert file_name(frame(7, 1_700_000_000_000_001_999)) == (
        "20231114T221320.000001Z-000000007.jpg"
    )


def test_file_names_sort_by_capture_time_across_daemons() -> None:
    names = [file_name(frame(99, 1_000)), file_name(frame(1, 2_000)), file_name(frame(2, 10**18))]
    assert names == sorted(names)


def test_file_is_replaced_whole_and_keeps_what_the_umask_gives(tmp_path: Path) -> None:
    target = tmp_path / "x.jpg"
    target.write_bytes(b"old and longer")
    old = target.open("rb")
    write_file(target, b"new")
    with old:
        assert old.read() == b"old and longer", "who has the old one open still reads it whole"
    assert target.read_bytes() == b"new"
    mask = os.umask(0)
    os.umask(mask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~mask
    assert os.listdir(tmp_path) == ["x.jpg"]


def test_symbolic_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.jpg"
    link.symlink_to("real/x.jpg")
    write_file(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "real" / "x.jpg").read_bytes() == b"new"


def test_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_file(pipe, b"new")
    reader.join()
    assert got == [b"new"]
    assert pipe.is_fifo()


def test_failure_names_the_file_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    with pytest.raises(OutputFailed, match="directory"):
        write_file(tmp_path / "directory", b"new")
    with pytest.raises(OutputFailed, match="No such file"):
        write_file(tmp_path / "none" / "x.jpg", b"new")
    assert os.listdir(tmp_path) == ["directory"]


def test_a_path_that_cannot_be_looked_at_is_named_and_no_bug(tmp_path: Path) -> None:
    nobody_can_have = tmp_path / ("x" * 300)
    for check, path in (
        (check_directory, nobody_can_have),
        (check_directory, nobody_can_have / "y"),
        (check_file, nobody_can_have / "x.jpg"),
    ):
        with pytest.raises(OutputFailed, match="name a directory that is yours"):
            check(path)
    with pytest.raises(OutputFailed, match="File name too long"):
        write_file(nobody_can_have, b"")
