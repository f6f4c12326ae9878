from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.sources.pictures import jpeg, picture_end
from capture_daemon.sources.pictures.markers import EndState, find_end
from capture_daemon.sources.pictures.splitter import JpegSplitter
from tests.samples import pictures
from tests.samples.jpeg_kinds import kinds, segments, with_segment

FRAMES = [pictures.jpeg(number, 16, 16) for number in range(3)]


def split(stream: bytes, pieces: list[int] | None = None) -> list[bytes]:
    """Feed `stream` in pieces of these lengths, over and over."""
    cutter, frames, at, turn = JpegSplitter(), list[bytes](), 0, 0
    while at < len(stream):
        length = pieces[turn % len(pieces)] if pieces else len(stream)
        frames += cutter.feed(stream[at : at + length])
        at, turn = at + length, turn + 1
    return frames + cutter.flush()


@given(st.lists(st.integers(1, 700), min_size=1, max_size=6))
def test_pieces_of_any_length_give_the_same_frames(pieces: list[int]) -> None:
    assert split(b"".join(FRAMES), pieces) == FRAMES


@given(st.lists(st.integers(1, 700), min_size=1, max_size=6), st.integers(0, 9))
def test_it_tells_where_in_the_stream_each_frame_begins(pieces: list[int], padding: int) -> None:
    stream = b"".join(frame + b"\0" * padding for frame in FRAMES) + FRAMES[0][:-2]
    cutter, found, at, turn = JpegSplitter(), list[tuple[int, bytes]](), 0, 0
    while at < len(stream):
        length = pieces[turn % len(pieces)]
        frames = cutter.feed(stream[at : at + length])
        found += zip(cutter.offsets, frames, strict=True)
        at, turn = at + length, turn + 1
    frames = cutter.flush()
    found += zip(cutter.offsets, frames, strict=True)
    assert len(found) == 4
    for begin, frame in found:
        assert stream[begin : begin + len(frame)] == frame


def test_a_piece_of_two_frames_is_no_frame() -> None:
    assert JpegSplitter().feed(FRAMES[0] + FRAMES[1]) == FRAMES[:2]
    assert JpegSplitter().feed(FRAMES[0][:-2] + FRAMES[1]) == [FRAMES[0][:-2], FRAMES[1]]


def test_a_frame_is_handed_out_with_its_last_byte() -> None:
    cutter = JpegSplitter()
    assert cutter.feed(FRAMES[0][:-1]) == []
    assert cutter.feed(FRAMES[0][-1:]) == FRAMES[:1]


@given(st.lists(st.integers(0, 50), min_size=3, max_size=3))
def test_padding_between_frames_belongs_to_none(paddings: list[int]) -> None:
    pairs = zip(FRAMES, paddings, strict=True)
    assert split(b"".join(frame + b"\0" * count for frame, count in pairs), [64]) == FRAMES


def test_bytes_before_the_first_frame_are_dropped() -> None:
    assert split(b"\xff\xd8\x00 not a picture \xff" + FRAMES[0]) == FRAMES[:1]


def test_a_picture_that_breaks_off_is_handed_on_alone() -> None:
    cut = FRAMES[0][:-20]
    frames = split(cut + FRAMES[1] + FRAMES[2], [100])
    assert frames == [cut, *FRAMES[1:]]
    assert jpeg.examine(frames[0]).reason == "no-eoi"


def test_the_end_of_the_stream_hands_the_rest_on() -> None:
    assert split(FRAMES[0] + FRAMES[1][:-5]) == [FRAMES[0], FRAMES[1][:-5]]


def test_a_thumbnail_in_the_header_is_part_of_its_picture() -> None:
    thumbnail = FRAMES[1]
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    picture = FRAMES[0][:2] + segment + FRAMES[0][2:]
    assert split(picture + FRAMES[2], [33]) == [picture, FRAMES[2]]


def test_a_picture_without_an_end_is_given_up_at_the_limit() -> None:
    cutter = JpegSplitter(largest=2000)
    given_up = cutter.feed(FRAMES[0][:-2] + b"\x11" * 2000)
    assert [jpeg.examine(frame).reason for frame in given_up] == ["no-eoi"]
    assert cutter.feed(FRAMES[1]) == [FRAMES[1]]


def test_what_stands_between_pictures_belongs_to_none() -> None:
    for trailer in (b"\r\n", b"mkr0\x59\x19\x01", b"trailer" * 100, b"\xff\xd9", b"\xff" * 5):
        stream = b"".join(frame + trailer for frame in FRAMES)
        assert split(stream, [13]) == FRAMES


def test_a_saved_multipart_stream_is_its_pictures() -> None:
    head = b"--seam\r\nContent-Type: image/jpeg\r\nContent-Length: 1\r\n\r\n"
    assert split(b"".join(head + frame + b"\r\n" for frame in FRAMES), [50]) == FRAMES


def test_pictures_of_all_kinds_come_out_as_they_went_in() -> None:
    frames = list(kinds().values())
    for sizes in ([1 << 16], [1009], [3, 5000]):
        assert split(b"".join(frames), sizes) == frames


def test_no_byte_is_walked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []

    def search(data: bytearray, at: int, *, final: bool) -> tuple[EndState, int]:
        searched.append(len(data) - at)
        return find_end(data, at, final=final)

    monkeypatch.setattr(picture_end, "find_end", search)
    frame = pictures.jpeg(0, 640, 480)
    assert split(frame * 3, [100]) == [frame] * 3
    assert sum(searched) < 2 * len(frame * 3)


@pytest.mark.parametrize("step", [1 << 16, 97])
def test_a_thumbnail_in_a_picture_that_is_cut_is_no_frame(step: int) -> None:
    thumbnail = pictures.jpeg(9, 16, 16)
    picture = with_segment(FRAMES[0], 0xE1, b"Exif\0\0" + thumbnail)
    marks = segments(picture)
    for cut in (*marks[1:], *(at + 10 for at in marks[2:-1])):
        frames = split(picture[:cut] + FRAMES[1] + FRAMES[2], [step])
        whole = [frame for frame in frames if jpeg.examine(frame).reason is None]
        assert whole == FRAMES[1:], f"cut after {cut} bytes"
