"""What only the file source does; the rest is in the source contract."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from capture_daemon.settings.spec import parse
from capture_daemon.sources.base import (
    Request,
    SourceError,
    SourceGone,
    SourceUnusable,
)
from capture_daemon.sources.file.source import DEFAULT_FPS
from capture_daemon.sources.pictures import jpeg
from tests.contract.playing import FRAMES, Play, datas, rejected
from tests.contract.source_contract import take


def test_frames_are_played_in_order_and_in_a_loop(tmp_path: Path, play: Play) -> None:
    clip = tmp_path / "clip"
    clip.write_bytes(b"".join(FRAMES))
    source = play(clip)
    granted = source.open()
    assert (granted.width, granted.height, granted.fps) == (64, 48, 500)
    assert datas(source, 7) == [*FRAMES, *FRAMES, FRAMES[0]]


def test_a_directory_is_played_in_the_order_of_its_names(tmp_path: Path, play: Play) -> None:
    for name, frame in zip(("b.jpeg", "a.jpg", "c.JPG"), FRAMES, strict=True):
        (tmp_path / name).write_bytes(frame)
    (tmp_path / "d.jpg").mkdir()
    os.mkfifo(tmp_path / "e.jpg")
    source = play(tmp_path)
    source.open()
    assert datas(source, 4) == [FRAMES[1], FRAMES[0], FRAMES[2], FRAMES[1]]


def test_a_file_that_is_replaced_is_taken_up_at_the_next_loop(tmp_path: Path, play: Play) -> None:
    clip, other = tmp_path / "clip", tmp_path / "other"
    clip.write_bytes(b"".join(FRAMES[:2]))
    source = play(clip)
    source.open()
    assert datas(source, 1) == FRAMES[:1]
    other.write_bytes(FRAMES[2])
    other.replace(clip)
    assert datas(source, 3) == [FRAMES[1], FRAMES[2], FRAMES[2]]


@pytest.mark.parametrize("content", [None, b"", b"\xff\xd8", FRAMES[0][:-9], b"something else"])
def test_a_file_that_stays_away_is_gone_but_may_come_back(
    tmp_path: Path, play: Play, content: bytes | None
) -> None:
    clip = tmp_path / "clip"
    clip.write_bytes(FRAMES[0])
    source = play(clip)
    source.open()
    take(source, 1)
    clip.unlink()
    if content is not None:
        clip.write_bytes(content)
    assert rejected(source, 2)
    with pytest.raises(SourceGone) as failure:
        take(source, 1)
    assert failure.value.remedy
    with pytest.raises(SourceGone):  # to be tried again soon, not when a person comes
        source.open()
    clip.write_bytes(FRAMES[1])
    source.open()
    assert datas(source, 1) == FRAMES[1:2]


@pytest.mark.parametrize("content", [None, b"", b"\xff\xd8", FRAMES[0][:-9], b"something else"])
def test_a_picture_that_is_away_for_a_moment_costs_its_ticks(
    tmp_path: Path, play: Play, content: bytes | None
) -> None:
    picture = tmp_path / "now.jpg"
    picture.write_bytes(FRAMES[0])
    source = play(picture, away_s=60.0)
    source.open()
    for number in (1, 2, 1, 2):
        picture.unlink()
        if content is not None:
            picture.write_bytes(content)
        assert all(rejected(source, 10)[1:])  # what was read ahead is shown
        picture.write_bytes(FRAMES[number])
        assert datas(source, 4)[1:] == [FRAMES[number]] * 3


def test_a_picture_that_may_not_be_read_for_a_moment_costs_its_ticks(
    tmp_path: Path, play: Play
) -> None:
    picture = tmp_path / "now.jpg"
    picture.write_bytes(FRAMES[0])
    source = play(picture, away_s=60.0)
    source.open()
    picture.unlink()
    picture.mkdir()  # root may read everything else
    assert set(rejected(source, 10)[1:]) <= {"unreadable", "empty"}
    picture.rmdir()
    picture.symlink_to(picture)
    assert set(rejected(source, 3)) == {"unreadable"}
    picture.unlink()
    picture.write_bytes(FRAMES[1])
    assert datas(source, 3)[1:] == [FRAMES[1]] * 2


def test_a_damaged_picture_is_passed_on_for_the_check_to_count(tmp_path: Path, play: Play) -> None:
    clip = tmp_path / "clip"
    clip.write_bytes(FRAMES[0] + FRAMES[1][:-30] + FRAMES[2] + FRAMES[0][:-1])
    source = play(clip)
    source.open()
    reasons = [jpeg.examine(data).reason for data in datas(source, 4)]
    assert reasons == [None, "no-eoi", None, "no-eoi"]


def test_a_recording_without_a_rate_is_played_at_the_default(tmp_path: Path, play: Play) -> None:
    clip = tmp_path / "clip"
    clip.write_bytes(FRAMES[0])
    assert play(clip, Request()).open().fps == DEFAULT_FPS


def test_a_name_in_the_home_directory_is_understood(
    tmp_path: Path, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "clip").write_bytes(FRAMES[0])
    assert play(Path("~/clip")).open().device == str(tmp_path / "clip")


def test_each_unusable_path_has_a_code_of_its_own(tmp_path: Path, play: Play) -> None:
    pipe, empty, text = tmp_path / "pipe", tmp_path / "empty", tmp_path / "text"
    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(pipe)
    empty.touch()
    text.write_text("not a picture at all")
    for path in (empty, folder):
        os.utime(path, (0, 0))
    for path, code in (
        (tmp_path / "absent", "no-such-file"),
        (pipe, "not-a-file"),
        (empty, "no-jpeg"),
        (folder, "no-jpeg"),
        (text, "no-motion-jpeg"),
        (text / "below", "unreadable"),
    ):
        with pytest.raises(SourceUnusable) as failure:
            play(path).open()
        assert failure.value.code == code
        assert str(path) in failure.value.message


@pytest.mark.parametrize(
    ("kind", "instead"), [("pipe", "ffmpeg:"), ("socket", "ffmpeg:unix:"), ("device", "v4l2:")]
)
def test_what_would_wait_is_never_opened_and_its_remedy_names_what_reads_it(
    tmp_path: Path, play: Play, kind: str, instead: str
) -> None:
    path = tmp_path / "a thing"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(SourceUnusable, match=f"is a {kind}") as failure:
        play(path).open()
    assert f"write {instead} in place of file:" in failure.value.remedy
    assert parse(f"{instead}{path}").kind == instead.partition(":")[0]


def test_what_was_written_just_now_is_tried_again_soon(tmp_path: Path, play: Play) -> None:
    for content in (b"", FRAMES[0][:200], FRAMES[0][:1]):
        (tmp_path / "now.jpg").write_bytes(content)
        for path in (tmp_path / "now.jpg", tmp_path):
            with pytest.raises(SourceError) as failure:
                play(path).open()
            assert not failure.value.permanent
            assert failure.value.code == "no-jpeg"
