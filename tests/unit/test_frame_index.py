from __future__ import annotations

import os
from pathlib import Path

import pytest

from capture_daemon.sources.file import frame_index, recording
from capture_daemon.sources.file.picture import Picture
from capture_daemon.sources.file.recording import Recording
from capture_daemon.sources.pictures.splitter import JpegSplitter
from tests.samples import pictures

FRAMES = [pictures.jpeg(number, 64 + 16 * number, 48) for number in range(3)]


def clip(path: Path, *frames: bytes, between: bytes = b"", age_s: int = 60) -> Path:
    """Write a recording that nobody has touched for a minute."""
    file = path / "clip"
    file.write_bytes(between.join(frames))
    at_ns = file.stat().st_mtime_ns - age_s * 1_000_000_000
    os.utime(file, ns=(at_ns, at_ns))
    return file


def play(of: Recording) -> list[Picture]:
    return [picture._replace(at=0) for picture in of.begin().pictures]


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What went through the splitter."""
    fed: list[bytes] = []

    class Watched(JpegSplitter):
        def feed(self, data: bytes | memoryview) -> list[bytes]:
            fed.append(bytes(data))
            return super().feed(data)

    monkeypatch.setattr(recording, "JpegSplitter", Watched)
    return fed


@pytest.mark.parametrize("between", [b"", b"\0" * 7, b"\r\n--seam\r\n\r\n"])
def test_a_recording_is_searched_once_and_then_played_as_it_was(
    between: bytes, tmp_path: Path, searched: list[bytes]
) -> None:
    recorded = Recording(clip(tmp_path, *FRAMES, between=between))
    first = play(recorded)
    assert [picture.data for picture in first] == FRAMES
    assert [(picture.width, picture.height) for picture in first] == [(64, 48), (80, 48), (96, 48)]
    searched.clear()
    assert play(recorded) == first
    assert not searched


def test_one_that_was_written_to_just_now_is_searched_again(
    tmp_path: Path, searched: list[bytes]
) -> None:
    recorded = Recording(clip(tmp_path, *FRAMES, age_s=0))
    play(recorded)
    searched.clear()
    assert [picture.data for picture in play(recorded)] == FRAMES
    assert searched


def test_one_that_is_replaced_is_played_as_it_is_now(tmp_path: Path) -> None:
    recorded = Recording(clip(tmp_path, *FRAMES))
    play(recorded)
    clip(tmp_path, *FRAMES[::-1], age_s=50)
    assert [picture.data for picture in play(recorded)] == FRAMES[::-1]


def test_what_is_no_longer_where_it_was_ends_the_pass_and_is_looked_for_anew(
    tmp_path: Path,
) -> None:
    file = clip(tmp_path, *FRAMES)
    recorded = Recording(file)
    play(recorded)
    before = file.stat()
    file.write_bytes(b"".join(FRAMES[::-1]))  # as long as it was, and as old
    os.utime(file, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert play(recorded) == []
    assert [picture.data for picture in play(recorded)] == FRAMES[::-1]


def test_a_recording_with_a_fault_is_searched_each_time_and_the_fault_counted(
    tmp_path: Path,
) -> None:
    recorded = Recording(clip(tmp_path, FRAMES[0], FRAMES[1][:-2], FRAMES[2]))
    for _ in range(2):
        assert [picture.reason for picture in play(recorded)] == ["", "no-eoi", ""]


def test_of_more_pictures_than_memory_is_spent_on_none_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, searched: list[bytes]
) -> None:
    monkeypatch.setattr(frame_index, "LARGEST", 2)
    recorded = Recording(clip(tmp_path, *FRAMES))
    play(recorded)
    searched.clear()
    assert [picture.data for picture in play(recorded)] == FRAMES
    assert searched
