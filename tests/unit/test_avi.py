from __future__ import annotations

from pathlib import Path

import pytest

from capture_daemon.sources.file.avi import AviError, AviReader

FRAMES = [b"\xff\xd8 one \xff\xd9", b"\xff\xd8 odd \x01\xff\xd9", b"\xff\xd8 three \xff\xd9"]


def chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def group(kind: bytes, *members: bytes, name: bytes = b"LIST") -> bytes:
    return chunk(name, kind + b"".join(members))


def stream(kind: bytes = b"vids", codec: bytes = b"MJPG", scale: int = 1, rate: int = 15) -> bytes:
    header = kind + b"\0" * 16 + scale.to_bytes(4, "little") + rate.to_bytes(4, "little")
    return group(
        b"strl",
        chunk(b"strh", header.ljust(56, b"\0")),
        chunk(b"strf", b"\0" * 16 + codec + b"\0" * 20),
    )


def avi(*movie: bytes, streams: tuple[bytes, ...] | None = None) -> bytes:
    header = group(b"hdrl", chunk(b"avih", b"\0" * 56), *(streams or (stream(),)))
    return group(b"AVI ", header, group(b"movi", *movie), chunk(b"idx1", b"\0" * 32), name=b"RIFF")


def pictures(number: bytes = b"00dc") -> tuple[bytes, ...]:
    return tuple(chunk(number, frame) for frame in FRAMES)


def read(path: Path, data: bytes) -> tuple[list[bytes | None], float]:
    file = path / "clip.avi"
    file.write_bytes(data)
    with file.open("rb") as opened:
        reader = AviReader(opened)
        return [frame for _, frame in reader.frames()], reader.fps


def test_frames_and_rate_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, avi(*pictures())) == (FRAMES, 15.0)


def test_a_rate_may_be_a_fraction_or_missing(tmp_path: Path) -> None:
    assert read(tmp_path, avi(streams=(stream(scale=1001, rate=30000),)))[1] == 30000 / 1001
    assert read(tmp_path, avi(streams=(stream(scale=0),)))[1] == 0


def test_the_video_stream_is_found_behind_the_sound(tmp_path: Path) -> None:
    sound = stream(kind=b"auds", codec=b"\0\0\0\0")
    movie = (chunk(b"00wb", b"noise"), *pictures(b"01dc"), chunk(b"00dc", b"not ours"))
    assert read(tmp_path, avi(*movie, streams=(sound, stream())))[0] == FRAMES


def test_groups_of_chunks_and_dropped_frames_are_understood(tmp_path: Path) -> None:
    one, two, three = pictures(b"00db")
    movie = (group(b"rec ", one, chunk(b"00db", b"")), group(b"rec ", two, three))
    assert read(tmp_path, avi(*movie))[0] == FRAMES


def test_further_lists_of_a_long_recording_are_read(tmp_path: Path) -> None:
    more = group(b"AVIX", group(b"movi", *pictures()), name=b"RIFF")
    assert read(tmp_path, avi(*pictures()) + more)[0] == FRAMES * 2


def test_a_recording_that_breaks_off_is_read_to_its_end(tmp_path: Path) -> None:
    whole = avi(*pictures())
    cut = whole[: whole.index(FRAMES[2]) + 3]
    assert read(tmp_path, cut)[0] == FRAMES[:2]


def test_sizes_that_were_never_written_reach_to_the_end(tmp_path: Path) -> None:
    whole = avi(*pictures())
    movie = whole.index(b"movi") - 4
    unfinished = whole[:4] + bytes(4) + whole[8:movie] + bytes(4) + whole[movie + 4 :]
    assert read(tmp_path, unfinished)[0] == FRAMES


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no AVI"),
        (b"RIFF\0\0\0\0WAVE", "no AVI"),
        (b"\x1aE\xdf\xa3 matroska here", "no AVI"),
        (avi()[:40], "no Motion-JPEG stream"),
        (avi(streams=(stream(codec=b"H264"), stream(b"auds"))), "H264, auds"),
    ],
)
def test_what_holds_no_motion_jpeg_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(AviError, match=message):
        read(tmp_path, data)
