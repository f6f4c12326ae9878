"""The file source on a directory: its order, what comes and goes, what is passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.sources.base import Interrupt, Request, SourceError, SourceGone
from capture_daemon.sources.file import directory
from capture_daemon.sources.file import source as file_source
from capture_daemon.sources.file.directory import natural_key
from capture_daemon.sources.file.regular import open_regular
from capture_daemon.sources.file.source import FileSource
from capture_daemon.sources.pacing import Pacer
from capture_daemon.sources.pictures.splitter import LARGEST_FRAME
from tests.contract.source_contract import take
from tests.samples import pictures
from tests.samples.jpeg_kinds import kinds

FRAMES = [pictures.jpeg(number) for number in range(5)]
CUT = FRAMES[0][:-30]


@pytest.fixture
def source(tmp_path: Path, interrupt: Interrupt) -> Iterator[FileSource]:
    source = FileSource(str(tmp_path), Request(fps=500), interrupt, away_s=60.0)
    yield source
    source.close()


def fill(folder: Path, **contents: bytes) -> None:
    for name, content in contents.items():
        (folder / f"{name}.jpg").write_bytes(content)


def outcomes(source: FileSource, count: int) -> list[bytes | str]:
    """Read `count` frames; return each, or why it is none."""
    return [frame.captured.reject or frame.data for frame in take(source, count)]


def test_names_are_in_natural_order() -> None:
    ordered = ["2.jpg", "10.jpg", "A1.jpg", "a2.JPG", "a10b2.jpg", "a10b10.jpg", "b.jpg"]
    mixed = [*ordered[3:], *ordered[:3]]
    assert sorted(mixed, key=natural_key) == ordered
    assert sorted(["img_0100.jpg", "img_99.jpg"], key=natural_key)[0] == "img_99.jpg"


@given(st.lists(st.text(), max_size=20))
def test_any_names_have_one_order(names: list[str]) -> None:
    ordered = sorted(names, key=natural_key)
    names.reverse()
    assert sorted(names, key=natural_key) == ordered


def test_pictures_are_played_in_natural_order(tmp_path: Path, source: FileSource) -> None:
    for number, name in enumerate(("img1.jpg", "img2.JPEG", "img10.jfif", "img11.jpe")):
        (tmp_path / name).write_bytes(FRAMES[number])
    source.open()
    assert outcomes(source, 8) == FRAMES[:4] * 2


def test_pictures_of_all_kinds_are_shown(tmp_path: Path, source: FileSource) -> None:
    for number, picture in enumerate(kinds().values()):
        (tmp_path / f"{number}.jpg").write_bytes(picture)
    source.open()
    assert outcomes(source, len(kinds())) == list(kinds().values())


def test_what_is_no_picture_is_left_alone(tmp_path: Path, source: FileSource) -> None:
    fill(tmp_path, b=FRAMES[1])
    (tmp_path / "a.jpg").mkdir()
    fill(tmp_path / "a.jpg", deep=FRAMES[2])
    os.mkfifo(tmp_path / "c.jpg")
    (tmp_path / "d.jpg").symlink_to("/dev/zero")
    (tmp_path / "e.jpg").symlink_to("absent.jpg")
    (tmp_path / "._b.jpg").write_bytes(b"\0\5\26\7")
    (tmp_path / "notes.txt").write_text("not a picture")
    source.open()
    assert outcomes(source, 4) == FRAMES[1:2] * 4


def test_bad_pictures_cost_their_ticks_and_are_named_once(
    tmp_path: Path, source: FileSource, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, a=FRAMES[0], b=CUT, c=FRAMES[2], d=b"", e=b"text", f=FRAMES[3])
    (tmp_path / "g.jpg").symlink_to("g.jpg")
    source.open()
    a_pass = [FRAMES[0], "no-eoi", FRAMES[2], "empty", "no-soi", FRAMES[3], "unreadable"]
    assert outcomes(source, 14) == a_pass * 2
    named = [record.getMessage() for record in caplog.records]
    assert [line.split("'")[1] for line in named] == ["b.jpg", "d.jpg", "e.jpg", "g.jpg"]
    assert "its end is missing" in named[0]


def test_a_flood_of_bad_pictures_does_not_flood_the_log(
    tmp_path: Path, source: FileSource, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, a=FRAMES[0], **{f"b{number}": b"" for number in range(200)})
    source.open()
    take(source, 10)
    assert FRAMES[0] in outcomes(source, 4)
    assert len(caplog.records) == 51


def test_a_long_run_of_bad_pictures_is_skipped_and_counted_as_missed(
    tmp_path: Path, source: FileSource
) -> None:
    fill(tmp_path, a=FRAMES[0], z=FRAMES[1], **{f"b{number}": CUT for number in range(100)})
    source.open()
    frames = take(source, 5)
    assert [frame.captured.reject for frame in frames] == ["", "no-eoi", "no-eoi", "no-eoi", ""]
    assert frames[-1].data == FRAMES[1]
    assert [frame.captured.device_sequence for frame in frames] == [1, 2, 3, 4, 102]


def test_more_bad_pictures_than_fit_into_the_time_do_not_hide_the_good_one_behind_them(
    tmp_path: Path, interrupt: Interrupt
) -> None:
    """Its time is over at the third of them; opened again, it goes on where it was."""
    fill(tmp_path, a=FRAMES[0], z=FRAMES[1], **{f"b{number}": CUT for number in range(20)})
    source = FileSource(str(tmp_path), Request(fps=500), interrupt, away_s=0.0)
    shown: list[bytes] = []

    def play() -> None:
        while True:
            captured = source.read(1.0)
            if captured is not None and not captured.reject:
                shown.append(bytes(captured.data))

    for _ in range(2):
        source.open()
        with pytest.raises(SourceGone):
            play()
    source.close()
    assert shown == [FRAMES[0], FRAMES[1], FRAMES[0]]


def test_a_slow_show_has_time_to_pass_over_thousands_of_bad_pictures_at_a_tick(
    tmp_path: Path, interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_source, "_SKIPPED", 1)
    monkeypatch.setattr(file_source, "_SKIP_S", 30.0)
    fill(tmp_path, a=FRAMES[0], z=FRAMES[1], **{f"b{number}": b"" for number in range(300)})
    source = FileSource(str(tmp_path), Request(fps=10), interrupt, away_s=60.0)
    monkeypatch.setattr(Pacer, "interval_s", 60.0)
    source.open()
    frames = take(source, 5)
    source.close()
    assert [frame.captured.reject for frame in frames] == ["", "empty", "empty", "empty", ""]


def test_a_name_is_printed_so_that_it_is_one_line(
    tmp_path: Path, source: FileSource, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, a=FRAMES[0])
    (tmp_path / "two\nlines\x1b[31m.jpg").write_bytes(b"")
    (tmp_path / os.fsdecode(b"latin\xe9.jpg")).write_bytes(b"")
    source.open()
    take(source, 3)
    assert all(record.getMessage().isprintable() for record in caplog.records)
    assert len(caplog.records) == 2


def test_what_appears_and_vanishes_is_seen_while_a_pass_goes_on(
    tmp_path: Path, source: FileSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_LOOK_S", 0.0)
    fill(tmp_path, a=FRAMES[0], c=FRAMES[1], e=FRAMES[2])
    source.open()
    assert outcomes(source, 1) == FRAMES[:1]
    fill(tmp_path, b=FRAMES[3], d=FRAMES[4])
    (tmp_path / "c.jpg").unlink()
    assert outcomes(source, 3) == [FRAMES[3], FRAMES[4], FRAMES[2]]
    (tmp_path / "a.jpg").unlink()
    assert outcomes(source, 2) == [FRAMES[3], FRAMES[4]]


def test_a_look_at_a_directory_is_not_taken_for_each_picture(
    tmp_path: Path, source: FileSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_LOOK_S", 3600.0)
    fill(tmp_path, a=FRAMES[0], c=FRAMES[1])
    source.open()
    take(source, 1)
    fill(tmp_path, b=FRAMES[2])
    assert outcomes(source, 4) == [FRAMES[1], FRAMES[0], FRAMES[2], FRAMES[1]]


def test_a_bad_picture_that_is_mended_is_shown(tmp_path: Path, source: FileSource) -> None:
    fill(tmp_path, a=FRAMES[0], b=CUT)
    os.utime(tmp_path / "b.jpg", (1000, 1000))
    source.open()
    assert outcomes(source, 4) == [FRAMES[0], "no-eoi"] * 2
    fill(tmp_path, b=FRAMES[1])
    assert FRAMES[1] in outcomes(source, 3)


def test_a_huge_file_is_never_read(
    tmp_path: Path, source: FileSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, a=FRAMES[0], b=FRAMES[1])
    os.truncate(tmp_path / "b.jpg", LARGEST_FRAME + 1)
    read: list[str] = []

    def count(path: Path) -> BinaryIO:
        read.append(path.name)
        return open_regular(path)

    monkeypatch.setattr(directory, "open_regular", count)
    source.open()
    assert outcomes(source, 4) == [FRAMES[0], "too-large"] * 2
    assert set(read) == {"a.jpg"}


def test_a_directory_that_goes_away_costs_ticks_and_is_played_when_it_is_back(
    tmp_path: Path, interrupt: Interrupt
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    fill(folder, a=FRAMES[0], b=FRAMES[1])
    source = FileSource(str(folder), Request(fps=500), interrupt, away_s=60.0)
    source.open()
    folder.rename(tmp_path / "elsewhere")
    assert "unreadable" in outcomes(source, 4)
    (tmp_path / "elsewhere").rename(folder)
    assert outcomes(source, 4)[-2:] in (FRAMES[:2], FRAMES[1::-1])
    source.close()


def test_a_directory_of_bad_pictures_is_a_clear_cause(tmp_path: Path, source: FileSource) -> None:
    fill(tmp_path, a=CUT, b=b"", c=b"text", d=CUT)
    with pytest.raises(SourceError, match=r"no picture of .* can be shown") as failure:
        source.open()
    assert failure.value.code == "no-jpeg"
    assert "its end is missing" in failure.value.message
    assert "the log names" in failure.value.remedy


def test_a_directory_all_of_whose_pictures_have_gone_bad_is_gone(
    tmp_path: Path, interrupt: Interrupt
) -> None:
    fill(tmp_path, a=FRAMES[0])
    source = FileSource(str(tmp_path), Request(fps=500), interrupt, away_s=0.0)
    source.open()
    take(source, 1)
    fill(tmp_path, a=CUT)
    with pytest.raises(SourceGone, match="its end is missing"):
        take(source, 4)
    source.close()


def test_pictures_that_may_not_be_read_are_a_cause_with_its_remedy(
    tmp_path: Path, source: FileSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    fill(tmp_path, a=FRAMES[0], b=FRAMES[1])
    monkeypatch.setattr(directory, "open_regular", refuse)  # root may read everything
    with pytest.raises(SourceError, match="Permission denied") as failure:
        source.open()
    assert failure.value.code == "no-permission"
    assert "user id" in failure.value.remedy


def test_a_directory_without_pictures_any_more_says_so(
    tmp_path: Path, interrupt: Interrupt
) -> None:
    fill(tmp_path, a=FRAMES[0])
    source = FileSource(str(tmp_path), Request(fps=500), interrupt, away_s=0.0)
    source.open()
    take(source, 1)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(SourceGone, match="there is no JPEG in"):
        take(source, 4)
    source.close()
