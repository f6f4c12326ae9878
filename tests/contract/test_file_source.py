"""What only the file source does; the rest is in the source contract."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capture_daemon.sources import jpeg
from capture_daemon.sources.base import Interrupt, Request, SourceGone, SourceUnusable
from capture_daemon.sources.file import DEFAULT_FPS, FileSource
from tests import pictures
from tests.contract.source_contract import take

FRAMES = [pictures.jpeg(number) for number in range(3)]
FAST = Request(fps=500)


@pytest.fixture
def play() -> Iterator[Callable[..., FileSource]]:
    interrupt = Interrupt()
    playing: list[FileSource] = []

    def make(path: Path, request: Request = FAST) -> FileSource:
        playing.append(FileSource(str(path), request, interrupt))
        return playing[-1]

    yield make
    for source in playing:
        source.close()
    interrupt.close()


Play = Callable[..., FileSource]


def datas(source: FileSource, count: int) -> list[bytes]:
    return [frame.data for frame in take(source, count)]


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


@pytest.mark.parametrize("content", [None, b"", b"\xff\xd8", b"something else"])
def test_a_file_that_goes_away_is_gone_but_may_come_back(
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
    with pytest.raises(SourceGone) as failure:
        take(source, 1)
    assert failure.value.remedy
    clip.write_bytes(FRAMES[1])
    source.open()
    assert datas(source, 1) == FRAMES[1:2]


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
    os.mkfifo(pipe)
    empty.touch()
    text.write_text("not a picture at all")
    for path, code in (
        (tmp_path / "absent", "no-such-file"),
        (pipe, "not-a-file"),
        (empty, "no-jpeg"),
        (text, "no-motion-jpeg"),
        (text / "below", "unreadable"),
    ):
        with pytest.raises(SourceUnusable) as failure:
            play(path).open()
        assert failure.value.code == code
        assert str(path) in failure.value.message
