"""Draws the test pattern: a card of colour bars, a clock, and a marker that moves.

Only what changes is drawn and encoded: the clock once a second, the marker's row when a place and
number are seen for the first time. JPEG can restart its coder after each row of blocks (DRI and
RSTm, ITU T.81, B.2.4.4), so coded rows are kept, and put together: the result is an ordinary JPEG,
at the cost of copying it. Nothing here knows of clocks or sources; without Pillow it cannot be
imported.
"""

from __future__ import annotations

import io
import re

from PIL import Image, ImageDraw

from capture_daemon.sources.pattern.bands import ClockBand, MarkerBand
from capture_daemon.sources.pattern.lettering import ACCENT, INK, MUTED, PAPER, fit
from capture_daemon.sources.pictures.markers import EOI, read_header

SMALLEST = (160, 120)
LARGEST = (7680, 4320)

_BLOCK_ROW = 16
"""Pixels of one row of 4:2:0 blocks (MCUs)."""
_RESTARTS = 8
"""RST0 to RST7 count in a circle."""
_QUALITY = 85

MOST_KEPT = 256
"""Rows with the marker, some hundred bytes to some thousand each."""

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
        first = min(round(rows * 0.6), rows - strip_rows - 1)
        strip_top, strip_height = first * _BLOCK_ROW, strip_rows * _BLOCK_ROW
        head, coded = _encode(_draw_card(width, height, strip_top, strip_height, caption))
        if len(coded) != rows:
            raise ValueError("this Pillow cannot write restart markers; 10.2 or newer can")
        floor = first + strip_rows
        self._before = head + _join(coded[:first], 0)
        self.end = _join(coded[floor:], floor) + EOI
        """The JPEG from behind the marker."""
        clock_rows = -(-strip_rows // 2)
        self._clock_row, self._marker_row = first, first + clock_rows
        self._clock_band = ClockBand(width, clock_rows * _BLOCK_ROW)
        self._marker_band = MarkerBand(width, (strip_rows - clock_rows) * _BLOCK_ROW)
        self._clock = "", b""
        self._markers: dict[tuple[str, float], bytes] = {}

    def draw(self, clock: str, number: str, phase: float) -> bytes:
        """Return the JPEG with `clock` and `number` in words and the marker at `phase` (0 to 1).

        Rows with one number and phase are kept, so there should be few of them, MOST_KEPT at most.
        """
        return b"".join((self.begin(clock), self.marker(number, phase), self.end))

    def begin(self, clock: str) -> bytes:
        """Return the JPEG up to the marker."""
        if self._clock[0] != clock:
            image = self._clock_band.draw(clock)
            self._clock = clock, self._before + _join(_encode(image)[1], self._clock_row)
        return self._clock[1]

    def marker(self, number: str, phase: float) -> bytes:
        """Return the rows with number and marker."""
        marker = self._markers.get((number, phase))
        if marker is None:
            image = self._marker_band.draw(number, phase)
            marker = _join(_encode(image)[1], self._marker_row)
            if len(self._markers) < MOST_KEPT:
                self._markers[number, phase] = marker
        return marker

    def has(self, number: str, phase: float) -> bool:
        """Tell whether these rows are drawn already."""
        return (number, phase) in self._markers


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


def _draw_card(
    width: int, height: int, strip_top: int, strip_height: int, caption: str
) -> Image.Image:
    image = Image.new("RGB", (width, height), PAPER)
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
        (left, top, left + plate_width, top + plate_height), plate_height * 0.1, fill=PAPER
    )
    lines = (
        (_TITLE, INK, 0.86, 0.36, 0.34),
        (_SUBTITLE, ACCENT, 0.80, 0.13, 0.64),
        (caption, MUTED, 0.80, 0.11, 0.82),
    )
    for text, colour, share, tall, middle in lines:
        font = fit(text, plate_width * share, plate_height * tall)
        if font.getlength(text) <= plate_width:
            draw.text((width / 2, top + plate_height * middle), text, colour, font, anchor="mm")
