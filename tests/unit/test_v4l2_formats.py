from __future__ import annotations

from fractions import Fraction

import pytest

from capture_daemon.sources.base import Request, SourceUnusable
from capture_daemon.v4l2.formats import Choice, choose
from tests.samples.formats import MJPG, YUYV, offer


@pytest.mark.parametrize(
    ("request_", "chosen"),
    [
        (Request(), ("MJPG", 1280, 720, 30)),
        (Request(width=1920, height=1080), ("MJPG", 1920, 1080, 30)),
        (Request(width=1900, height=1000, fps=7), ("MJPG", 1920, 1080, 5)),
        (Request(width=10, height=10), ("MJPG", 640, 480, 30)),
        (Request(width=5000, height=5000), ("MJPG", 1920, 1080, 30)),
        (Request(width=1280), ("MJPG", 1280, 720, 30)),
        (Request(height=600), ("MJPG", 800, 600, 20)),
        (Request(fps=60), ("MJPG", 640, 480, 60)),
        (Request(fps=25), ("MJPG", 1280, 720, 30)),
        (Request(fps=1), ("MJPG", 1280, 720, 15)),
        (Request(width=640, height=480, fps=45), ("MJPG", 640, 480, 60)),
    ],
)
def test_what_is_nearest_to_the_request_is_chosen(
    request_: Request, chosen: tuple[str, int, int, int]
) -> None:
    fourcc, width, height, rate = chosen
    assert choose([YUYV, MJPG], request_) == Choice(fourcc, width, height, Fraction(rate))


def test_uncompressed_does_not_get_its_largest_size_at_a_slide_shows_rate() -> None:
    assert choose([YUYV], Request()) == Choice("YUYV", 640, 480, Fraction(30))


def test_largest_is_taken_when_no_size_is_fast() -> None:
    slow = offer("YUYV", {(320, 240): (5,), (640, 480): (2,)})
    assert choose([slow], Request()) == Choice("YUYV", 640, 480, Fraction(2))


def test_smallest_is_taken_when_all_are_larger_than_usual() -> None:
    large = offer("MJPG", {(3840, 2160): (30,), (1920, 1080): (30,)})
    assert choose([large], Request()) == Choice("MJPG", 1920, 1080, Fraction(30))


def test_thirty_is_meant_by_an_interval_that_was_rounded() -> None:
    rounded = Fraction(10_000_000, 333_333)
    odd = offer("MJPG", {(640, 480): (60, rounded)})
    assert choose([odd], Request()).rate == rounded


def test_driver_that_names_no_rates_is_asked_for_the_requested_one_only() -> None:
    mute = offer("MJPG", {(640, 480): ()})
    assert choose([mute], Request()).rate is None
    assert choose([mute], Request(fps=12.5)).rate == Fraction(25, 2)


def test_camera_without_a_usable_format_is_refused_with_what_it_offers() -> None:
    h264 = offer("H264", {(640, 480): (30,)})
    with pytest.raises(SourceUnusable, match="offers H264") as refusal:
        choose([h264], Request(), "/dev/video3")
    assert "ffmpeg" in refusal.value.remedy
    with pytest.raises(SourceUnusable, match="offers nothing"):
        choose([], Request())


def test_document_is_plain_data() -> None:
    assert offer("MJPG", {(640, 480): (30, Fraction(25, 2))}).document() == {
        "fourcc": "MJPG",
        "description": "MJPG",
        "sizes": [{"width": 640, "height": 480, "fps": [30.0, 12.5]}],
    }
