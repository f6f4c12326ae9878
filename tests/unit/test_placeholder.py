from __future__ import annotations

import io
import struct
import threading

import pytest
from PIL import Image, ImageChops

from tests.bus import jpeg
from web_workers.feeds.placeholder import Notice, Painter, paint
from web_workers.wire.loop import StreamLoop


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _notice(picture: bytes | None, message: str = "no capture daemon runs") -> Notice:
    return Notice.of("front", message, "start one", jpeg=picture, age_s=12.3)


def test_a_card_differs_by_what_it_says() -> None:
    one, other = paint(_notice(None)), paint(_notice(None, "the camera was unplugged"))
    assert _opened(one).size == (1280, 720)
    assert ImageChops.difference(_opened(one), _opened(other)).getbbox() is not None


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (160, 120), (3840, 2160), (720, 1280)])
def test_the_last_frame_keeps_its_size_and_is_darkened(size: tuple[int, int]) -> None:
    frame = jpeg(3, size)
    painted = _opened(paint(_notice(frame)))
    assert painted.size == size
    before, after = _opened(frame).getpixel((5, 5)), painted.getpixel((5, 5))
    assert isinstance(before, tuple)
    assert isinstance(after, tuple)
    assert sum(after) < sum(before)


def test_the_title_tells_how_old_it_is() -> None:
    assert _notice(b"x").title == "front: old picture, nothing new for 12 s"
    assert _notice(None).title == "front: no picture yet"


def test_a_frame_that_cannot_be_decoded_becomes_a_card() -> None:
    assert _opened(paint(_notice(b"\xff\xd8 nothing \xff\xd9"))).size == (1280, 720)


def test_a_frame_whose_header_claims_a_picture_that_fills_the_memory_becomes_a_card() -> None:
    frame = bytearray(jpeg(3, (64, 48)))
    size = frame.index(b"\xff\xc0") + 5  # SOF0: length, precision, then lines and columns
    frame[size : size + 4] = struct.pack(">HH", 6000, 6000)
    assert _opened(paint(_notice(bytes(frame)))).size == (1280, 720)


def test_a_text_of_any_length_is_painted() -> None:
    assert paint(_notice(jpeg(1, (160, 120)), "no " * 500 + "x" * 5000))


def test_the_painter_paints_elsewhere_and_answers_in_the_loops_thread() -> None:
    loop = StreamLoop()
    painter = Painter(loop.call_from_thread)
    got: list[tuple[bytes, int]] = []
    painter.paint(_notice(None), lambda data: got.append((data, threading.get_ident())))
    while not got:
        loop.dispatch(10.0)
    painter.close()
    loop.close()
    assert got[0][0][:2] == b"\xff\xd8"
    assert got[0][1] == threading.get_ident()
