"""Pictures that stand in for frames: the last frame marked as old, or a card that names the cause.

Painting takes 10 to 30 ms, so it happens in a thread of its own; Pillow lets go of the interpreter
while it decodes and encodes. At most one picture is painted a second and camera.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageEnhance, ImageFont

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


@dataclass(frozen=True, slots=True)
class Notice:
    """What a placeholder says."""

    title: str
    message: str
    remedy: str
    jpeg: bytes | None
    """The last frame, None when there was none."""

    @classmethod
    def of(
        cls, camera: str, message: str, remedy: str, *, jpeg: bytes | None, age_s: float
    ) -> Notice:
        """Return the notice for a camera whose last frame, if any, is `age_s` seconds old."""
        title = f"old picture, nothing new for {int(age_s)} s" if jpeg else "no picture yet"
        return cls(f"{camera}: {title}", message, remedy, jpeg)


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


class Painter:
    """Paints notices in one thread of its own. Made after the fork; `close` it."""

    def __init__(self, call: Callable[[Callable[[], None]], None]) -> None:
        """`call` runs a function in the caller's thread (StreamLoop.call_from_thread)."""
        self._call = call
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="painter")

    def paint(self, notice: Notice, done: Callable[[bytes], None]) -> None:
        """Paint `notice`, then call `done` with the JPEG."""

        def painted(future: Future[bytes]) -> None:
            if not future.cancelled():
                self._call(lambda: done(future.result()))

        self._thread.submit(paint, notice).add_done_callback(painted)

    def close(self) -> None:
        """End the thread; what is not painted yet is forgotten."""
        self._thread.shutdown(wait=True, cancel_futures=True)
