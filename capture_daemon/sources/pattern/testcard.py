"""Draws the test pattern: a card of colour bars with a strip that moves.

Only the strip is drawn and encoded per frame. JPEG can restart its coder after each row of blocks
(DRI and RSTm, ITU T.81, B.2.4.4), so the coded rows of the still card are kept, and the strip's new
rows are put between them: the result is an ordinary JPEG, at the cost of the strip alone. Nothing
here knows of clocks or sources; without Pillow it cannot be imported.
"""

from __future__ import annotations

import io
import re

from PIL import Image, ImageDraw, ImageFont

from capture_daemon.sources.pictures.markers import EOI, read_header

SMALLEST = (160, 120)
LARGEST = (7680, 4320)

_BLOCK_ROW = 16
"""Pixels of one row of 4:2:0 blocks (MCUs)."""
_RESTARTS = 8
"""RST0 to RST7 count in a circle."""
_QUALITY = 85

_INK = (248, 250, 252)
_MUTED = (148, 163, 184)
_PAPER = (15, 23, 42)
_ACCENT = (245, 158, 11)
_TRACK = (51, 65, 85)
_BARS = (
    (191, 191, 191),
    (191, 191, 0),
    (0, 191, 191),
    (0, 191, 0),
    (191, 0, 191),
    (191, 0, 0),
    (0, 0, 191),
)
"""75 % colour bars."""
_GREYS = tuple((round(255 * step / 15),) * 3 for step in range(16))

_TITLE = "TEST PATTERN"
_SUBTITLE = "no camera: framebus draws this picture"


class Card:
    """The pattern at one size. `draw` is cheap; making the card renders and encodes it whole."""

    def __init__(self, width: int, height: int, caption: str) -> None:
        """`caption` is printed small, below the title: the size and rate of the source.

        Raises:
            ValueError: the size is outside SMALLEST to LARGEST, or this Pillow (older than 10.2)
                cannot write restart markers.
        """
        if not (SMALLEST[0] <= width <= LARGEST[0] and SMALLEST[1] <= height <= LARGEST[1]):
            raise ValueError(
                f"{width}x{height} is not between {SMALLEST[0]}x{SMALLEST[1]} "
                f"and {LARGEST[0]}x{LARGEST[1]}"
            )
        rows = -(-height // _BLOCK_ROW)
        strip_rows = max(2, round(rows * 0.2))
        self._first_row = min(round(rows * 0.6), rows - strip_rows - 1)
        strip_top = self._first_row * _BLOCK_ROW
        strip_height = strip_rows * _BLOCK_ROW
        head, coded = _encode(_draw_card(width, height, strip_top, strip_height, caption))
        if len(coded) != rows:
            raise ValueError("this Pillow cannot write restart markers; 10.2 or newer can")
        floor = self._first_row + strip_rows
        self._before = head + _join(coded[: self._first_row], 0)
        self._after = _join(coded[floor:], floor) + EOI
        self._strip = _Strip(width, strip_height)

    def draw(self, clock: str, sequence: int, phase: float) -> bytes:
        """Return the JPEG with `clock` and `sequence` in words and the marker at `phase` (0 to 1).

        `clock` may hold digits, ":" and "."; anything else is a KeyError.
        """
        _, rows = _encode(self._strip.draw(clock, sequence, phase))
        return self._before + _join(rows, self._first_row) + self._after


def _encode(image: Image.Image) -> tuple[bytes, list[bytes]]:
    """Return a JPEG up to its first coded byte, and each row of blocks without restart markers."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, subsampling="4:2:0", restart_marker_rows=1)
    data = out.getvalue()
    start = read_header(data).data_at
    # A coded 0xFF is always followed by 0x00, so these bytes are markers and nothing else.
    return data[:start], re.split(rb"\xff[\xd0-\xd7]", data[start : -len(EOI)])


def _join(rows: list[bytes], first: int) -> bytes:
    """Put restart markers before `rows`, numbered as from row `first`; row 0 has none."""
    parts: list[bytes] = []
    for number, row in enumerate(rows, start=first):
        if number:
            parts.append(bytes((0xFF, 0xD0 + (number - 1) % _RESTARTS)))
        parts.append(row)
    return b"".join(parts)


def _fit(text: str, width: float, height: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the largest font, at most `height` pixels, in which `text` is `width` pixels wide."""
    at = max(8.0, height)
    while at > 8 and ImageFont.load_default(at).getlength(text) > width:
        at *= 0.92
    return ImageFont.load_default(at)


def _draw_card(
    width: int, height: int, strip_top: int, strip_height: int, caption: str
) -> Image.Image:
    image = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    floor = strip_top + strip_height
    for colours, top, bottom in (_BARS, 0, strip_top), (_GREYS, floor, height):
        for number, colour in enumerate(colours):
            left, right = (width * edge // len(colours) for edge in (number, number + 1))
            draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)
    _draw_plate(draw, width, strip_top, caption)
    return image


def _draw_plate(draw: ImageDraw.ImageDraw, width: int, height: int, caption: str) -> None:
    """Draw the dark plate with the words, centred in the `width` x `height` at the top."""
    plate_width, plate_height = width * 0.62, height * 0.62
    left, top = (width - plate_width) / 2, (height - plate_height) / 2
    draw.rounded_rectangle(
        (left, top, left + plate_width, top + plate_height), plate_height * 0.1, fill=_PAPER
    )
    lines = (
        (_TITLE, _INK, 0.86, 0.36, 0.34),
        (_SUBTITLE, _ACCENT, 0.80, 0.13, 0.64),
        (caption, _MUTED, 0.80, 0.11, 0.82),
    )
    for text, colour, share, tall, middle in lines:
        font = _fit(text, plate_width * share, plate_height * tall)
        if font.getlength(text) <= plate_width:
            draw.text((width / 2, top + plate_height * middle), text, colour, font, anchor="mm")


class _Strip:
    """The moving part: clock, sequence, and a marker that runs from left to right."""

    def __init__(self, width: int, height: int) -> None:
        self._track_top = round(height * 0.74)
        self._track = (round(width * 0.04), round(width * 0.96))
        self._marker = max(6, round(height * 0.1))
        glyph_height = height * 0.5
        cell = min(glyph_height * 0.62, width * 0.92 / 24)
        font = _fit("0", cell * 0.95, glyph_height)
        self._cell = max(1, int(cell))
        self._text_top = round(height * 0.36)
        self._glyphs = {letter: self._glyph(letter, font) for letter in "0123456789:.#"}
        self._still = Image.new("RGB", (width, height), _PAPER)
        draw = ImageDraw.Draw(self._still)
        middle = self._track_top + self._marker // 2
        left, right = self._track
        draw.line((left, middle, right, middle), _TRACK, 3)
        for tick in range(5):
            x = left + (right - left) * tick // 4
            draw.line((x, self._track_top, x, self._track_top + self._marker), _TRACK, 3)

    def draw(self, clock: str, sequence: int, phase: float) -> Image.Image:
        image = self._still.copy()
        left, right = self._track
        self._write(image, clock, left)
        number = f"#{sequence}"
        self._write(image, number, right - len(number) * self._cell)
        x = left + round((right - left - self._marker) * phase)
        top = self._track_top
        image.paste(_ACCENT, (x, top, x + self._marker, top + self._marker))
        return image

    def _write(self, image: Image.Image, text: str, left: int) -> None:
        for letter in text:
            image.paste(self._glyphs[letter], (left, 0))
            left += self._glyphs[letter].width

    def _glyph(
        self, letter: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    ) -> Image.Image:
        """Draw one letter into a cell: equal widths keep the digits from dancing."""
        cell = self._cell // 2 if letter in ":." else self._cell
        image = Image.new("RGB", (cell, self._track_top), _PAPER)
        place = (cell / 2, self._text_top)
        ImageDraw.Draw(image).text(place, letter, _INK, font, anchor="mm")
        return image
