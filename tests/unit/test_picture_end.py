"""Where a picture ends that comes in piece by piece."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from capture_daemon.sources.pictures.picture_end import PictureEnd, ends_at
from tests.samples import pictures

PLAIN = pictures.jpeg(3)


def progressive() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((80, 60), 60).save(out, "JPEG", progressive=True)
    return out.getvalue()


def found(data: bytes, cut: int) -> int:
    end, buffer = PictureEnd(), bytearray()
    for at in range(0, len(data), cut):
        buffer += data[at : at + cut]
        if there := end.find(buffer):
            return there
    return 0


def with_end_in_a_table(picture: bytes) -> bytes:
    """Put a segment that holds an EOI between two scans."""
    at = picture.rindex(b"\xff\xda")
    return picture[:at] + b"\xff\xdb\x00\x04\xff\xd9" + picture[at:]


@pytest.mark.parametrize("cut", [1, 3, 50, 10_000])
@pytest.mark.parametrize("picture", [PLAIN, progressive(), with_end_in_a_table(progressive())])
def test_it_is_behind_eoi_whatever_follows(picture: bytes, cut: int) -> None:
    assert found(picture + b"\r\n--seam\r\n" + PLAIN, cut) == len(picture)


def test_a_cut_picture_ends_where_the_next_begins() -> None:
    assert found(PLAIN[:-40] + PLAIN, 10_000) == len(PLAIN) - 40


def test_what_has_no_end_or_no_header_has_none() -> None:
    assert found(PLAIN[:-2] + b"\0" * 100, 7) == 0
    assert found(b"\xff\xd8\xff\xe0\x00\x00" + PLAIN, 7) == 0


def test_padding_and_line_ends_may_stand_behind_the_end() -> None:
    padded = bytearray(PLAIN + b"\0\0\r\n" + b"--")
    assert ends_at(padded, len(PLAIN))
    assert ends_at(padded, len(PLAIN) + 4)
    assert not ends_at(padded, len(PLAIN) - 1)
    assert not ends_at(padded, len(padded))
