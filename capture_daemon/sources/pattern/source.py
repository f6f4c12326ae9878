"""The `test` source: a moving, labelled picture for when there is no camera, and for tests.

It shows the time of day and the frame's number within the second, so that a person sees delay and
loss at a glance. Drawing needs Pillow; simplejpeg and numpy are not needed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from framebus import installation
from framebus.frame import FrameFlags

from capture_daemon.sources.base import (
    Captured,
    Granted,
    Interrupt,
    Request,
    SourceGone,
    SourceUnusable,
)
from capture_daemon.sources.pacing import Pacer, checked_fps
from capture_daemon.sources.pattern.time_code import TimeCodes

if TYPE_CHECKING:
    from capture_daemon.sources.pattern.testcard import Card

DEFAULT_SIZE = (1280, 720)
DEFAULT_FPS = 30.0

_SWEEP_S = 2
"""Seconds in which the marker crosses the picture."""


class PatternSource:
    """Draws frames at a steady rate; frames that the reader was too slow for are skipped."""

    def __init__(self, request: Request, interrupt: Interrupt) -> None:
        self._request = request
        self._interrupt = interrupt
        self._drawing: tuple[Card, Pacer, TimeCodes] | None = None

    def open(self) -> Granted:
        """Render the still part. Raises SourceUnusable: no Pillow, or an impossible request."""
        self.close()
        try:
            from capture_daemon.sources.pattern.testcard import Card
        except ImportError as error:
            raise SourceUnusable(
                "no-pillow",
                f"the test pattern needs Pillow: {error}",
                remedy=installation.REMEDY,
            ) from error
        fps = checked_fps(self._request.fps, DEFAULT_FPS)
        width = DEFAULT_SIZE[0] if self._request.width is None else self._request.width
        height = DEFAULT_SIZE[1] if self._request.height is None else self._request.height
        try:
            card = Card(width, height, f"{width} x {height}, {fps:g} frames a second, clock in UTC")
        except ValueError as error:
            raise SourceUnusable(
                "bad-size",
                f"no test pattern: {error}",
                remedy="leave out --size, or ask for another; pip install -U Pillow",
            ) from error
        self._drawing = card, Pacer(fps, self._interrupt), TimeCodes(fps)
        return Granted("MJPG", width, height, fps, device="test pattern")

    def read(self, timeout_s: float) -> Captured | None:
        """Wait for the next tick and draw it."""
        if self._drawing is None:
            raise SourceGone("not-open", "the test pattern is not open", remedy="open it first")
        card, pacer, codes = self._drawing
        tick = pacer.wait(timeout_s)
        if tick is None:
            return None
        captured_ns = time.monotonic_ns()
        code = codes.at(tick, time.time())
        clock = time.strftime("%H:%M:%S", time.gmtime(code.second))
        phase = (code.second % _SWEEP_S + code.frame / pacer.fps) / _SWEEP_S
        return Captured(
            card.draw(clock, f"+{code.frame:02}/{pacer.fps:g}", phase),
            captured_ns,
            device_sequence=tick + 1,
            flags=FrameFlags.TEST_PATTERN | FrameFlags.ENCODED,
        )

    def close(self) -> None:
        """Forget the card."""
        self._drawing = None
