"""Where a picture ends: what a decoder shows is a frame, whatever follows it; a cut one is none."""

from __future__ import annotations

import io

import cv2
import numpy
import pytest
import simplejpeg
from PIL import Image

from capture_daemon.sources.pictures import jpeg
from capture_daemon.sources.pictures.markers import EndState, find_end, read_header
from tests.samples import pictures
from tests.samples.jpeg_kinds import (
    EOI,
    before_the_end,
    encoded,
    kinds,
    multi_picture,
    segment,
    segments,
    trailers,
)

PLAIN = pictures.jpeg()
KIND = pytest.mark.parametrize("picture", kinds().values(), ids=kinds())
THOROUGH = pytest.mark.parametrize("thorough", [False, True], ids=["quick", "thorough"])


def decodes(data: bytes) -> bool:
    """Tell whether libjpeg shows it, as browsers do; damage that it survives counts as shown."""
    return cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR) is not None


def decodes_without_a_warning(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            if image.mode != "CMYK":
                simplejpeg.decode_jpeg(data)
    except (OSError, ValueError):
        return False
    return True


@THOROUGH
@KIND
def test_a_picture_of_any_kind_is_a_frame_and_decodes(picture: bytes, thorough: bool) -> None:
    assert decodes_without_a_warning(picture)
    for data in (picture, memoryview(picture)):
        found = jpeg.examine(data, thorough=thorough)
        assert (found.reason, found.start, found.end) == (None, 0, len(picture))
    assert (found.header.width, found.header.height) == (64, 48)


@KIND
@pytest.mark.parametrize("trailer", trailers().values(), ids=trailers())
def test_whatever_follows_a_picture_it_is_a_frame_that_decodes(
    picture: bytes, trailer: bytes
) -> None:
    data = picture + trailer
    found = jpeg.examine(data)
    assert found.reason is None
    assert decodes_without_a_warning(data[found.start : found.end])
    thorough = jpeg.examine(data, thorough=True)
    assert data[: thorough.end] == picture
    assert found.end in (thorough.end, len(data))  # an EOI at the very end is believed


@KIND
@pytest.mark.parametrize("blank", [b"\r\n", b"\n", b"\r\n\r\n", b"\0\0"])
def test_line_ends_before_a_picture_are_left_out(picture: bytes, blank: bytes) -> None:
    data = blank + picture + b"\r\n"
    found = jpeg.examine(data)
    assert found.reason is None
    assert data[found.start : found.end] == picture


@THOROUGH
@KIND
def test_a_picture_of_any_kind_that_is_cut_anywhere_is_no_frame(
    picture: bytes, thorough: bool
) -> None:
    lengths = {*range(0, len(picture), 1 + len(picture) // 2000), len(picture) - 1}
    for length in lengths:
        for tail in (b"", b"\r\n", b"\0" * 100, b"trailer" * 20):
            cut = picture[:length] + tail
            assert jpeg.examine(cut, thorough=thorough).reason, length


@KIND
def test_a_picture_that_the_next_one_cuts_is_no_frame(picture: bytes) -> None:
    begin = read_header(picture).data_at
    for length in range(begin, len(picture) - 1, 97):
        for rest in (PLAIN, PLAIN + b"\r\n", PLAIN + b"trailer" * 20):
            cut = jpeg.examine(picture[:length] + rest, thorough=True)
            assert cut.reason == "no-eoi"


def test_only_the_first_of_two_pictures_in_one_is_the_frame() -> None:
    both, first = multi_picture()
    assert jpeg.examine(both, thorough=True).end == len(first)
    assert jpeg.examine(both + b"trailer" * 20).end == len(first)
    assert decodes(both[: len(first)])


def test_a_tail_of_padding_costs_no_search_of_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    def search(*_: object, **__: object) -> tuple[EndState, int]:
        raise AssertionError("searched")

    monkeypatch.setattr(jpeg, "find_end", search)
    for tail in (b"", b"\r\n", b"\0" * 63, b"\0" * 100_000, b"mkr0\x59\x19\x01\x00"):
        assert jpeg.examine(PLAIN + tail).end == len(PLAIN)
    with pytest.raises(AssertionError):
        jpeg.examine(PLAIN + b"trailer" * 20)


@pytest.mark.parametrize("extra", [b"\0", b"\0" * 30, b"junk", b"\xff\x00", b"\xff\x01\xff\xd0"])
def test_bytes_that_belong_to_no_segment_are_passed_over_as_decoders_do(extra: bytes) -> None:
    for at in segments(PLAIN)[1:]:
        data = PLAIN[:at] + extra + PLAIN[at:]
        assert decodes(data)
        assert jpeg.examine(data).reason is None
        assert jpeg.size(data) == (64, 48)


def test_an_application_segment_whose_length_is_wrong_is_survived_where_decoders_do() -> None:
    for wrong in (0, 1, 2, 5, 15):
        data = PLAIN[:4] + wrong.to_bytes(2, "big") + PLAIN[6:]
        assert jpeg.examine(data).reason is None
        assert jpeg.examine(data).end == len(PLAIN)


@pytest.mark.parametrize("marker", [0xC0, 0xC4, 0xDB, 0xDD, 0xDA])
def test_a_segment_that_matters_with_an_impossible_length_is_no_header(marker: int) -> None:
    data = PLAIN[:2] + bytes((0xFF, marker, 0, 1)) + PLAIN[2:]
    assert jpeg.examine(data).reason == "bad-header"


def test_a_picture_without_an_image_is_no_frame() -> None:
    tables = PLAIN[: read_header(PLAIN).scan_at] + EOI
    assert jpeg.examine(tables).reason == "bad-header"


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff\x01",
        b"\xff\xbf",
        b"\xff\xe5\xff\xf0",
        b"\xff\xdb\x00\x00",
        b"\xff\xd8\x12",
        b"\xff\xda",
    ],
)
def test_damage_that_looks_like_a_marker_does_not_hide_the_end(damage: bytes) -> None:
    at = read_header(PLAIN).data_at + 40
    data = PLAIN[:at] + damage + PLAIN[at:]
    found = jpeg.examine(data + b"trailer" * 20, thorough=True)
    assert (found.reason, found.end) == (None, len(data))


def test_tables_between_scans_are_walked_by_their_length() -> None:
    progressive = encoded(progressive=True)
    late = before_the_end(progressive, segment(0xFE, EOI * 20))
    for tail in (b"", b"\r\n", b"x" * 100):
        assert jpeg.examine(late + tail).end == len(late)
    assert jpeg.examine(late, thorough=True).end == len(late)


def test_a_scan_of_endless_markers_is_given_up() -> None:
    data = PLAIN[: read_header(PLAIN).data_at] + b"\xff\xc0\x00\x00" * 100_000
    assert find_end(data, 600, final=True)[0] is EndState.CUT
    assert jpeg.examine(data + EOI + b"x" * 100).reason == "no-eoi"
