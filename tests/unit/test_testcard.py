from __future__ import annotations

import io

import pytest
from PIL import Image, ImageChops

from capture_daemon.sources.pattern import testcard
from capture_daemon.sources.pattern.testcard import Card
from capture_daemon.sources.pictures import jpeg
from capture_daemon.sources.pictures.markers import read_header

SIZES = [(1280, 720), (160, 120), (640, 480), (1000, 562), (161, 2000)]


def picture(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


@pytest.mark.parametrize("size", SIZES)
def test_a_card_of_any_size_is_a_whole_jpeg_of_that_size(size: tuple[int, int]) -> None:
    data = Card(*size, "caption").draw("12:34:56", "+17/30", 0.5)
    assert jpeg.examine(data).reason is None
    assert jpeg.size(data) == size
    assert not read_header(data).lacks_tables
    assert picture(data).size == size


@pytest.mark.parametrize("size", SIZES)
def test_only_the_strip_changes_and_it_does(size: tuple[int, int]) -> None:
    card = Card(*size, "caption")
    one = picture(card.draw("12:34:56", "+00/30", 0.0))
    other = picture(card.draw("00:00:00", "+29/30", 1.0))
    box = ImageChops.difference(one, other).getbbox()
    assert box is not None
    assert box[1] >= size[1] * 0.5
    assert box[3] <= size[1] * 0.95
    assert box[2] - box[0] > size[0] * 0.5


def test_the_same_time_and_place_is_the_same_picture_however_it_was_come_by() -> None:
    card = Card(640, 480, "caption")
    first = card.draw("12:34:56", "+01/30", 0.25)
    assert card.draw("12:34:57", "+01/30", 0.25) != first
    assert card.draw("12:34:56", "+02/30", 0.25) != first
    assert card.draw("12:34:56", "+01/30", 0.25) == first
    assert Card(640, 480, "caption").draw("12:34:56", "+01/30", 0.25) == first


def test_what_is_kept_has_a_bound() -> None:
    card = Card(160, 120, "caption")
    for number in range(testcard.MOST_KEPT + 10):
        card.draw("12:34:56", f"{number}", 0.5)
    assert len(card._markers) == testcard.MOST_KEPT


def test_the_colour_bars_are_where_they_belong() -> None:
    image = picture(Card(1280, 720, "caption").draw("12:34:56", "+00/30", 0.0))
    for place, colour in ((90, (191, 191, 191)), (1190, (0, 0, 191))):
        pixel = image.getpixel((place, 20))
        assert isinstance(pixel, tuple)
        assert all(abs(a - b) < 12 for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("size", [(0, 0), (-5, 100), (159, 120), (10_000, 10_000)])
def test_an_impossible_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not between"):
        Card(*size, "caption")
