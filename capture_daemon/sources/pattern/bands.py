"""The two bands of the test pattern that change, one below the other: a clock, and a marker.

They are apart because they change at different times, and coded rows reach over the whole width.
"""

from __future__ import annotations

from PIL import Image, ImageDraw

from capture_daemon.sources.pattern.lettering import ACCENT, INK, MUTED, PAPER, TRACK, fit


class ClockBand:
    """The time of day, to the second."""

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._font = fit("00:00:00", width * 0.92, height * 0.8)

    def draw(self, text: str) -> Image.Image:
        """Return the band with `text` on it."""
        image = Image.new("RGB", self._size, PAPER)
        left, middle = self._size[0] * 0.04, self._size[1] * 0.55
        ImageDraw.Draw(image).text((left, middle), text, INK, self._font, anchor="lm")
        return image


class MarkerBand:
    """The number of the frame within its second, and a marker that runs from left to right."""

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._font = fit("+00/00", width * 0.22, height * 0.7)
        self._track = round(width * 0.3), round(width * 0.96)
        self._marker = max(6, round(height * 0.3))

    def draw(self, text: str, phase: float) -> Image.Image:
        """Return the band with `text` on it, and the marker at `phase` of its way."""
        width, height = self._size
        image = Image.new("RGB", self._size, PAPER)
        draw = ImageDraw.Draw(image)
        draw.text((width * 0.04, height / 2), text, MUTED, self._font, anchor="lm")
        left, right = self._track
        draw.line((left, height // 2, right, height // 2), TRACK, 3)
        top = (height - self._marker) // 2
        for tick in range(5):
            x = left + (right - left) * tick // 4
            draw.line((x, top, x, top + self._marker), TRACK, 3)
        x = left + round((right - left - self._marker) * phase)
        draw.rectangle((x, top, x + self._marker, top + self._marker), ACCENT)
        return image
