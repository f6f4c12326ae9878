"""Pictures that stand in for frames: the last frame marked as old, or a card that names the cause.

Painting takes 10 to 30 ms, so it happens in a thread of its own; Pillow lets go of the interpreter
while it decodes and encodes. At most one picture is painted a second and camera. What cannot be
painted, for want of memory or of a thread, is replaced by something plainer: viewers get a picture.
"""

from __future__ import annotations

import base64
import io
import logging
import textwrap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from framebus.contract.causes import Cause

if TYPE_CHECKING:
    from PIL import Image  # it takes memory, and most workers never paint

log = logging.getLogger("gunicorn.error")

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

PLAINEST = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERX"
    "RTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/wAALCAAwAEABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAb/xAAUEAEA"
    "AAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AIsAAAAAAAAAAAAAAAH/2Q=="
)
"""64 x 48 dark pixels, for when not even a card can be painted."""

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
    def of(cls, camera: str, cause: Cause, *, jpeg: bytes | None, age_s: float) -> Notice:
        """Return the notice for a camera whose last frame, if any, is `age_s` seconds old."""
        title = f"old picture, nothing new for {int(age_s)} s" if jpeg else "no picture yet"
        return cls(f"{camera}: {title}", cause.message, cause.remedy, jpeg)


def paint(notice: Notice) -> bytes:
    """Return the notice as a JPEG, of its frame's size.

    A frame that is none becomes a card, and so does one that is larger than any camera's.
    """
    from PIL import ImageDraw, ImageFont

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
    from PIL import Image, ImageEnhance

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
        self._thread = _one_thread()
        self._reason = ""  # why the last notice could not be painted

    def paint(self, notice: Notice, done: Callable[[bytes], None]) -> None:
        """Paint `notice`, then call `done` with the JPEG. Whatever fails, `done` is called."""

        def painted(future: Future[bytes]) -> None:
            jpeg = PLAINEST if future.cancelled() else future.result()
            self._call(lambda: done(jpeg))

        try:
            future = self._thread.submit(self._paint, notice)
        except Exception as error:  # noqa: BLE001  no picture is worth the worker
            self._complain(error)
            self._thread.shutdown(wait=False, cancel_futures=True)  # it has queued the notice
            self._thread = _one_thread()
            self._call(lambda: done(PLAINEST))
        else:
            future.add_done_callback(painted)

    def close(self) -> None:
        """End the thread; what is not painted yet is forgotten."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _paint(self, notice: Notice) -> bytes:
        """Return the notice as a JPEG, without its frame or its words if need be."""
        try:
            jpeg = paint(notice)
        except Exception as error:  # noqa: BLE001  as above
            self._complain(error)
        else:
            self._reason = ""
            return jpeg
        try:
            return paint(replace(notice, jpeg=None))
        except Exception:  # noqa: BLE001  said already
            return PLAINEST

    def _complain(self, error: Exception) -> None:
        """Log why a notice could not be painted, once for each reason."""
        reason = repr(error)
        if reason != self._reason:
            self._reason = reason
            log.error("a placeholder cannot be painted, a plainer one is shown", exc_info=error)


def _one_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="painter")
