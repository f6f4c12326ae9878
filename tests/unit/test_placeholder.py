from __future__ import annotations

import io
import struct
import sys
import threading
from collections.abc import Iterator

import pytest
from framebus.contract.causes import Cause
from PIL import Image, ImageChops

from tests.rigs.bus import jpeg
from web_workers.feeds import placeholder
from web_workers.feeds.notice import Notice
from web_workers.feeds.placeholder import PLAINEST, Painter, paint
from web_workers.wire.loop import StreamLoop


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _notice(picture: bytes | None, message: str = "no capture daemon runs") -> Notice:
    return Notice.of(
        "front", Cause("daemon-absent", message, "start one"), jpeg=picture, age_s=12.3
    )


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


def test_without_pillow_it_is_the_card_that_was_drawn_before_and_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    frame = jpeg(1, (64, 48))
    monkeypatch.delitem(sys.modules, "web_workers.feeds.painting", raising=False)
    monkeypatch.delattr("web_workers.feeds.painting", raising=False)
    monkeypatch.setitem(sys.modules, "PIL", None)
    placeholder._tell.cache_clear()
    assert paint(_notice(frame)) == paint(_notice(None)) == PLAINEST
    (record,) = caplog.records
    assert "Pillow is needed and not installed here" in record.getMessage()


def test_a_text_of_any_length_is_painted() -> None:
    assert paint(_notice(jpeg(1, (160, 120)), "no " * 500 + "x" * 5000))


class Easel:
    """A painter and the loop that it answers."""

    def __init__(self) -> None:
        self.loop = StreamLoop()
        self.painter = Painter(self.loop.call_from_thread)

    def painted(self, notice: Notice) -> bytes:
        """What comes of it, in this thread."""
        got: list[tuple[bytes, int]] = []
        self.painter.paint(notice, lambda data: got.append((data, threading.get_ident())))
        while not got:
            self.loop.dispatch(10.0)
        assert got[0][1] == threading.get_ident()
        return got[0][0]


@pytest.fixture
def easel() -> Iterator[Easel]:
    easel = Easel()
    yield easel
    easel.painter.close()
    easel.loop.close()


def test_the_painter_paints_elsewhere_and_answers_in_the_loops_thread(
    easel: Easel, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def noting(notice: Notice) -> bytes:
        threads.append(threading.get_ident())
        return paint(notice)

    monkeypatch.setattr(placeholder, "paint", noting)
    assert easel.painted(_notice(None))[:2] == b"\xff\xd8"
    assert threads != [threading.get_ident()]


def test_a_frame_that_cannot_be_painted_on_for_want_of_memory_is_a_card_and_is_logged_once(
    easel: Easel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def short(notice: Notice) -> bytes:
        if notice.jpeg is not None:
            raise MemoryError
        return paint(notice)

    monkeypatch.setattr(placeholder, "paint", short)
    for _ in range(2):
        assert _opened(easel.painted(_notice(jpeg(1, (64, 48))))).size == (1280, 720)
    assert [record.exc_text is not None for record in caplog.records] == [True]


def test_without_even_a_card_there_is_a_picture_still(
    easel: Easel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_notice: Notice) -> bytes:
        raise ValueError("a bug of Pillow's")

    monkeypatch.setattr(placeholder, "paint", broken)
    assert easel.painted(_notice(None)) == PLAINEST
    assert _opened(PLAINEST).size == (640, 360)


def test_a_painter_that_gets_no_thread_shows_the_plainest_picture_and_paints_again_later(
    easel: Easel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        for _ in range(2):
            assert easel.painted(_notice(None)) == PLAINEST
    assert len(caplog.records) == 1
    assert _opened(easel.painted(_notice(None))).size == (1280, 720)
