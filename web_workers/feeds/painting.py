"""Paints placeholders with Pillow, which is imported with this module: 20 MB that few need.

Painting takes 10 to 30 ms, in which Pillow lets go of the interpreter.
"""

from __future__ import annotations

import io
import textwrap

from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from web_workers.feeds.notice import Notice

_CARD_SIZE = (1280, 720)
_BACKGROUND = (22, 24, 28)
_BAND = (12, 13, 16)
_ACCENT = (240, 180, 60)
_TEXT = (236, 236, 236)
_DIM = (170, 174, 180)
_QUALITY = 80
_PIXELS_MAX = 1 << 25
"""Of a frame that is painted on, 8K included: painting takes a dozen bytes for each."""
_LETTER = 0.47  # mean width of a letter of Pillow's own font, in its height

_Line = tuple[str, float, tuple[int, int, int]]  # text, height relative to the unit, colour


def paint(notice: Notice) -> bytes:
    """Return the notice as a JPEG, of its frame's size.

    A frame that is none becomes a card, and so does one that is larger than any camera's.
    """
    picture = _background(notice.jpeg)
    draw = ImageDraw.Draw(picture)
    unit = max(10.0, min(picture.width / 40, picture.height / 22))
    lines: list[_Line] = [(notice.title, 1.5, _ACCENT)]
    columns = max(20, int((picture.width - 2 * unit) / (unit * _LETTER)))
    for text, colour in ((notice.message, _TEXT), (notice.remedy, _DIM)):
        lines += [(line, 1.0, colour) for line in textwrap.wrap(text, columns)[:3]]
    height = sum(unit * size * 1.45 for _, size, _ in lines) + unit * 1.2
    top = (picture.height - height) / 2 if notice.jpeg is None else picture.height - height
    draw.rectangle((0, top, picture.width, top + height), fill=_BAND)
    draw.rectangle((0, top, picture.width, top + max(2.0, unit / 8)), fill=_ACCENT)
    y = top + unit * 0.7
    for text, size, colour in lines:
        font = ImageFont.load_default(unit * size)
        draw.text((unit, y), text, font=font, fill=colour)
        y += unit * size * 1.45
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _background(jpeg: bytes | None) -> Image.Image:
    if jpeg is not None:
        try:
            with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as frame:
                if frame.width * frame.height <= _PIXELS_MAX:  # its header may say anything
                    return ImageEnhance.Brightness(frame.convert("RGB")).enhance(0.55)
        except (OSError, Image.DecompressionBombError):
            pass  # the daemon checks a JPEG's ends, not its inside: show a card instead
    return Image.new("RGB", _CARD_SIZE, _BACKGROUND)
