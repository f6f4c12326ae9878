"""Where pictures end, over pictures of all kinds: cut, followed by anything, mixed and damaged."""

from __future__ import annotations

import io

import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from capture_daemon.sources.pictures import jpeg
from capture_daemon.sources.pictures.markers import read_header
from capture_daemon.sources.pictures.splitter import JpegSplitter
from tests.samples import pictures
from tests.samples.jpeg_kinds import kinds, trailers

PICTURES = st.sampled_from(list(kinds().values()))
TRAILERS = st.sampled_from(list(trailers().values())) | st.binary(max_size=200)
JUNK = st.binary(max_size=200).map(lambda data: bytes(byte & 0x7F for byte in data))
"""What holds no marker, nor the second byte of one."""
SIZES = st.lists(st.integers(1, 900), min_size=1, max_size=5).filter(lambda s: sum(s) > 50 * len(s))


def split(stream: bytes, sizes: list[int]) -> list[bytes]:
    splitter, frames, at, turn = JpegSplitter(), list[bytes](), 0, 0
    while at < len(stream):
        length = sizes[turn % len(sizes)]
        frames += splitter.feed(stream[at : at + length])
        at, turn = at + length, turn + 1
    return frames + splitter.flush()


def decodes_without_a_warning(data: bytes) -> bool:
    try:
        simplejpeg.decode_jpeg(data, colorspace="GRAY")
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except (OSError, ValueError, SyntaxError):
        return False
    return True


@settings(max_examples=400, deadline=None)
@given(st.data(), PICTURES, JUNK, st.booleans())
def test_a_cut_picture_is_never_a_frame(
    data: st.DataObject, picture: bytes, junk: bytes, thorough: bool
) -> None:
    length = data.draw(st.integers(0, len(picture) - 1))
    assert jpeg.examine(picture[:length] + junk, thorough=thorough).reason is not None


@settings(max_examples=400, deadline=None)
@given(PICTURES, TRAILERS)
def test_a_whole_picture_is_a_frame_whatever_follows(picture: bytes, trailer: bytes) -> None:
    found = jpeg.examine(picture + trailer)
    assert found.reason is None
    assert len(picture) <= found.end <= len(picture + trailer)
    assert jpeg.examine(picture + trailer, thorough=True).end == len(picture)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(JUNK, PICTURES), max_size=5), JUNK, SIZES)
def test_pictures_come_out_of_a_stream_as_they_went_in(
    pairs: list[tuple[bytes, bytes]], rest: bytes, sizes: list[int]
) -> None:
    stream = b"".join(junk + picture for junk, picture in pairs) + rest
    assert split(stream, sizes) == [picture for _, picture in pairs]


@settings(max_examples=200, deadline=None)
@given(st.data(), st.lists(PICTURES, min_size=1, max_size=4), SIZES)
def test_a_picture_that_is_cut_costs_no_other(
    data: st.DataObject, whole: list[bytes], sizes: list[int]
) -> None:
    picture = data.draw(PICTURES)
    begin = read_header(picture).data_at
    cut = picture[: data.draw(st.integers(begin, len(picture) - 2))]
    frames = split(cut + b"".join(whole), sizes)
    assert frames[0] == cut
    assert frames[1:] == whole


@settings(max_examples=100, deadline=None)
@given(st.data(), PICTURES, st.lists(st.integers(1000, 9000), min_size=1, max_size=3))
def test_a_picture_that_is_cut_in_its_header_costs_one_other_at_most(
    data: st.DataObject, picture: bytes, sizes: list[int]
) -> None:
    cut = picture[: data.draw(st.integers(0, read_header(picture).data_at - 1))]
    whole = [pictures.jpeg(number) for number in range(90)]
    frames = split(cut + b"".join(whole), sizes)
    assert frames[-1] == whole[-1]
    lost = len(cut) + len(whole[0]) + 0xFFFF  # what the longest segment may take in
    assert sum(map(len, frames)) >= sum(map(len, whole)) - lost


@settings(max_examples=500, deadline=None)
@given(st.data(), PICTURES, st.sampled_from(["change", "insert", "remove"]), st.integers(0, 255))
def test_what_decodes_without_a_warning_is_a_frame(
    data: st.DataObject, picture: bytes, how: str, value: int
) -> None:
    at = data.draw(st.integers(0, len(picture) - 1))
    before, after = picture[:at], picture[at:]
    new = b"" if how == "remove" else bytes((value,))
    damaged = before + new + (after if how == "insert" else after[1:])
    if decodes_without_a_warning(damaged):
        assert jpeg.examine(damaged).reason is None
        assert jpeg.examine(damaged, thorough=True).reason is None


@pytest.mark.parametrize("picture", kinds().values(), ids=kinds())
def test_the_damage_test_has_pictures_that_decode(picture: bytes) -> None:
    assert decodes_without_a_warning(picture)
