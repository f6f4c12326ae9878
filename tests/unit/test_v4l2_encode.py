from __future__ import annotations

import builtins
from types import ModuleType
from typing import Any

import pytest
import simplejpeg

from capture_daemon.sources.base import SourceUnusable
from capture_daemon.v4l2.encode import Encoder

RED, GREY = (76, 85, 255), (128, 128, 128)  # Y, U, V


def yuyv(width: int, height: int, colour: tuple[int, int, int], padding: int = 0) -> memoryview:
    y, u, v = colour
    row = bytes((y, u, y, v)) * (width // 2) + bytes(padding)
    return memoryview(row * height)


@pytest.mark.parametrize("padding", [0, 32])
def test_picture_keeps_size_and_colour(padding: int) -> None:
    encoder = Encoder(64, 16, 128 + padding if padding else 0)
    jpeg = encoder.encode(yuyv(64, 16, RED, padding))
    height, width, _, subsampling = simplejpeg.decode_jpeg_header(jpeg)
    assert (width, height, subsampling) == (64, 16, "422")
    red, green, blue = (int(level) for level in simplejpeg.decode_jpeg(jpeg)[8, 32])
    assert red > 230
    assert max(green, blue) < 25


def test_chroma_belongs_to_its_own_pixels() -> None:
    left, right = yuyv(32, 1, RED), yuyv(32, 1, GREY)
    jpeg = Encoder(64, 16, 0).encode(memoryview((bytes(left) + bytes(right)) * 16))
    pixels = simplejpeg.decode_jpeg(jpeg)
    assert int(pixels[8, 4][0]) - int(pixels[8, 4][1]) > 200
    assert abs(int(pixels[8, 60][0]) - int(pixels[8, 60][1])) < 10


def test_picture_that_is_not_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="2047 of 2048 bytes"):
        Encoder(64, 16, 0).encode(yuyv(64, 16, GREY)[:2047])


def test_missing_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> ModuleType:
        if name == "simplejpeg":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SourceUnusable) as refusal:
        Encoder(64, 16, 0)
    assert refusal.value.code == "no-encoder"
    assert "framebus doctor" in refusal.value.remedy
