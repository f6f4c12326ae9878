from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from capture_daemon.sources.pictures import jpeg
from capture_daemon.sources.pictures.huffman import STANDARD_TABLES
from capture_daemon.sources.pictures.markers import HeaderState, read_header
from tests.samples import pictures

WHOLE = pictures.jpeg()


def without_tables(data: bytes) -> bytes:
    """What a camera that saves bytes sends: no DHT segment."""
    at = 2
    while data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == 0xC4:
            data = data[:at] + data[at + 2 + length :]
        else:
            at += 2 + length
    return data


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.tobytes()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\0" * 100, "no-soi"),
        (b"\xff", "no-soi"),
        (b"GIF89a", "no-soi"),
        (WHOLE[1:], "no-soi"),
        (b"\xff\xd8", "no-eoi"),
        (b"\xff\xd8" + b"\0" * 100, "no-eoi"),
        (b"\xff\xd8" + b"\0" * 10_000, "bad-header"),
        (b"\xff\xd8\xff\xd9", "bad-header"),
        (b"\xff\xd8" + WHOLE, "bad-header"),
        (WHOLE[:2] + WHOLE[read_header(WHOLE).scan_at :], "bad-header"),
        (WHOLE[:-1], "no-eoi"),
        (WHOLE[:-1] + b"\0" * 500, "no-eoi"),
        (WHOLE + b"\0\0\1", None),
        (WHOLE, None),
    ],
)
def test_what_is_wrong_has_a_name(data: bytes, reason: str | None) -> None:
    assert jpeg.examine(data).reason == reason
    assert jpeg.examine(memoryview(data)).reason == reason


@given(st.integers(0, 70_000))
def test_zero_padding_of_any_length_after_the_end_is_allowed(count: int) -> None:
    assert jpeg.examine(WHOLE + b"\0" * count).reason is None


@given(st.integers(0, len(WHOLE) - 1))
def test_a_picture_cut_anywhere_is_found_out(length: int) -> None:
    assert jpeg.examine(WHOLE[:length]).reason is not None


@pytest.mark.parametrize("size", [(8, 8), (64, 48), (1920, 1080), (33, 17)])
def test_size_is_read_from_the_frame_header(size: tuple[int, int]) -> None:
    assert jpeg.size(pictures.jpeg(1, *size)) == size


@given(st.binary(max_size=300))
def test_size_of_garbage_is_zero_or_a_number_and_never_raises(data: bytes) -> None:
    width, height = jpeg.size(b"\xff\xd8" + data)
    assert 0 <= width <= 0xFFFF
    assert 0 <= height <= 0xFFFF


def test_standard_tables_are_those_of_libjpeg() -> None:
    at, tables = 2, b""
    while WHOLE[at + 1] != 0xDA:
        length = int.from_bytes(WHOLE[at + 2 : at + 4], "big")
        if WHOLE[at + 1] == 0xC4:
            tables += WHOLE[at + 4 : at + 2 + length]
        at += 2 + length
    ours = STANDARD_TABLES
    assert int.from_bytes(ours[2:4], "big") == len(ours) - 2
    assert split_tables(ours[4:]) == split_tables(tables)


def split_tables(body: bytes) -> dict[int, bytes]:
    tables = {}
    while body:
        length = 17 + sum(body[1:17])
        tables[body[0]], body = body[1:length], body[length:]
    return tables


def test_inserted_tables_give_the_same_picture_back() -> None:
    bare = without_tables(WHOLE)
    assert read_header(bare).lacks_tables
    mended = jpeg.with_huffman_tables(bare)
    assert not read_header(mended).lacks_tables
    assert pixels(mended) == pixels(WHOLE)
    assert len(mended) == len(bare) + len(STANDARD_TABLES)


def test_tables_go_right_before_the_scan_and_nothing_else_moves() -> None:
    bare = without_tables(WHOLE)
    at = read_header(bare).scan_at
    mended = jpeg.with_huffman_tables(memoryview(bare))
    assert mended[:at] == bare[:at]
    assert mended[at:].startswith(STANDARD_TABLES + b"\xff\xda")
    assert mended.endswith(bare[at:])


def test_a_picture_that_has_tables_is_returned_byte_for_byte() -> None:
    assert jpeg.with_huffman_tables(WHOLE) == WHOLE


def test_a_progressive_picture_gets_no_tables() -> None:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), "teal").save(out, "JPEG", progressive=True)
    bare = without_tables(out.getvalue())
    assert jpeg.with_huffman_tables(bare) == bare


@given(st.integers(0, 400), st.integers(0, 255))
def test_insertion_into_a_damaged_header_never_raises(at: int, value: int) -> None:
    bare = bytearray(without_tables(WHOLE))
    bare[at % len(bare)] = value
    mended = jpeg.with_huffman_tables(bytes(bare))
    assert mended.replace(STANDARD_TABLES, b"", 1) in (bytes(bare), mended)


@given(st.integers(2, read_header(WHOLE).data_at - 1))
def test_a_header_cut_short_is_incomplete(length: int) -> None:
    assert read_header(WHOLE[:length]).state is HeaderState.INCOMPLETE


def test_fill_bytes_between_segments_are_skipped() -> None:
    assert jpeg.size(WHOLE[:2] + b"\xff\xff\xff" + WHOLE[2:]) == (64, 48)


def test_a_header_of_endless_segments_is_given_up() -> None:
    endless = b"\xff\xd8" + b"\xff\xfe\x00\x02" * 50_000
    assert read_header(endless).state is HeaderState.MALFORMED
