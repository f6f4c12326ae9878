"""What a file holds that is played: several pictures, trailers, damage, other containers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import BinaryIO

import pytest

from capture_daemon.sources.base import (
    SourceUnusable,
)
from capture_daemon.sources.file import avi, recording
from capture_daemon.sources.file.regular import open_regular
from tests.contract.playing import FRAMES, Play, datas, rejected
from tests.contract.source_contract import take
from tests.samples.jpeg_kinds import multi_picture, trailers


def test_a_saved_multipart_stream_plays(tmp_path: Path, play: Play) -> None:
    part = b"--seam\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\n"
    body = b"".join(part + frame + b"\r\n" for frame in FRAMES) + b"--seam--\r\n"
    head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n"
    for saved in (body, b"\r\n" + body, head + body, body.replace(b"--seam", b"ThisIsSeam")):
        (tmp_path / "saved").write_bytes(saved)
        source = play(tmp_path / "saved")
        source.open()
        assert datas(source, 6) == FRAMES * 2


def test_a_file_of_another_kind_that_holds_a_jpeg_is_not_played(tmp_path: Path, play: Play) -> None:
    (tmp_path / "song").write_bytes(b"ID3\x04\0\0" + FRAMES[0])
    with pytest.raises(SourceUnusable, match="cannot be played"):
        play(tmp_path / "song").open()


def test_only_the_first_picture_of_a_multi_picture_file_is_shown(
    tmp_path: Path, play: Play
) -> None:
    both, first = multi_picture()
    (tmp_path / "photo.jpg").write_bytes(both)
    for path in (tmp_path / "photo.jpg", tmp_path):
        source = play(path)
        source.open()
        assert datas(source, 3) == [first] * 3


def test_a_picture_with_a_trailer_is_shown_without_it(tmp_path: Path, play: Play) -> None:
    for trailer in trailers().values():
        (tmp_path / "photo.jpg").write_bytes(FRAMES[0] + trailer)
        source = play(tmp_path)
        source.open()
        assert datas(source, 2) == FRAMES[:1] * 2


def test_a_single_picture_that_has_not_changed_is_not_read_again(
    tmp_path: Path, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "still.jpg"
    picture.write_bytes(FRAMES[0])
    source = play(picture)
    source.open()
    opened: list[Path] = []

    def count(path: Path) -> BinaryIO:
        opened.append(path)
        return open_regular(path)

    monkeypatch.setattr(recording, "open_regular", count)
    take(source, 20)
    assert len(opened) >= 19  # it was written just now, and may be again at the same time
    os.utime(picture, (1000, 1000))
    take(source, 3)
    opened.clear()
    assert datas(source, 20) == FRAMES[:1] * 20
    assert not opened
    picture.write_bytes(FRAMES[1])
    assert datas(source, 3)[1:] == FRAMES[1:2] * 2


def test_a_recording_that_begins_with_damage_is_played_from_its_first_whole_picture(
    tmp_path: Path, play: Play
) -> None:
    (tmp_path / "clip").write_bytes(FRAMES[0][:-50] + FRAMES[1] + FRAMES[2])
    source = play(tmp_path / "clip")
    assert source.open().width == 64
    assert datas(source, 2) == FRAMES[1:]
    assert rejected(source, 1) == ["no-eoi"]


def test_a_long_stretch_without_pictures_costs_a_tick_now_and_then(
    tmp_path: Path, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_MOST_BARREN", 1 << 20)
    clip = tmp_path / "clip"
    clip.write_bytes(FRAMES[0])
    os.truncate(clip, 4 << 20)  # a hole of zeros
    with clip.open("ab") as file:
        file.write(FRAMES[1])
    source = play(clip, away_s=60.0)
    source.open()
    assert [frame.captured.reject for frame in take(source, 10)] == [
        *("", "no-soi", "no-soi", "no-soi", ""),
        *("", "no-soi", "no-soi", "no-soi", ""),
    ]


@pytest.mark.parametrize("shown", [0, 2])
def test_a_file_whose_rest_is_a_hole_ends_there(
    shown: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_MOST_BARREN", 1 << 20)
    clip = tmp_path / "clip"
    clip.write_bytes(b"".join(FRAMES[:shown]))
    os.truncate(clip, 1 << 40)
    played = [picture.reason for picture in recording.Recording(clip).begin().pictures]
    assert played == [""] * shown + ["no-soi"] * (4 if shown else 1)


def test_an_avi_frame_that_is_too_large_is_counted(
    tmp_path: Path, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=20"),
            *("-t", "0.2", "-c:v", "mjpeg", "-q:v", "5", str(tmp_path / "clip.avi")),
        ],
        check=True,
        timeout=30,
    )
    source = play(tmp_path / "clip.avi", away_s=60.0)
    source.open()
    monkeypatch.setattr(avi, "LARGEST_FRAME", 100)
    assert rejected(source, 6)[-3:] == ["too-large"] * 3
