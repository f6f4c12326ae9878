"""Colours and fonts of the test pattern."""

from __future__ import annotations

from PIL import ImageFont

INK = (248, 250, 252)
MUTED = (148, 163, 184)
PAPER = (15, 23, 42)
ACCENT = (245, 158, 11)
TRACK = (51, 65, 85)


def fit(text: str, width: float, height: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the largest font, at most `height` pixels, in which `text` is `width` pixels wide."""
    at = max(8.0, height)
    while at > 8 and ImageFont.load_default(at).getlength(text) > width:
        at *= 0.92
    return ImageFont.load_default(at)
