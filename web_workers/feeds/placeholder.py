"""Pictures that stand in for frames: the last frame marked as old, or a card that names the cause.

They are painted in a thread of its own, at most one a second and camera. What cannot be painted,
for want of memory, of a thread or of Pillow, is replaced by something plainer: viewers get a
picture.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from framebus import installation

from web_workers.feeds.notice import Notice

log = logging.getLogger("gunicorn.error")

PLAINEST = (Path(__file__).parents[1] / "static/no-picture.jpg").read_bytes()
"""A card that says that there is no picture and where it stands why, for when none can be painted.
Pillow has drawn it once, and is not needed to show it."""


def paint(notice: Notice) -> bytes:
    """Return the notice as a JPEG, of its frame's size; without Pillow it is PLAINEST.

    A frame that is none becomes a card, and so does one that is larger than any camera's.
    """
    try:
        from web_workers.feeds import painting  # few need it, and some boards cannot have it
    except ImportError as error:
        _tell(str(installation.explained(error)))
        return PLAINEST
    return painting.paint(notice)


@functools.cache
def _tell(why: str) -> None:
    """Log once why placeholders name no cause."""
    log.warning("placeholders say only that there is no picture: %s", why)


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
