"""The `test` source: a moving, labelled picture for when there is no camera, and for tests.

It shows the time of day and the frame's number within the second, so that a person sees delay and
loss at a glance. Drawing needs Pillow; simplejpeg and numpy are not needed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from framebus import installation
from framebus.frame import FrameFlags

from capture_daemon.native.library import FastPath, PacedOutcome
from capture_daemon.sources.base import (
    Captured,
    Granted,
    Interrupt,
    Request,
    SourceGone,
    SourceUnusable,
)
from capture_daemon.sources.pacing import Pacer, checked_fps

if TYPE_CHECKING:
    from capture_daemon.sources.pattern.film import Film

DEFAULT_SIZE = (1280, 720)
DEFAULT_FPS = 30.0

_FLAGS = FrameFlags.TEST_PATTERN | FrameFlags.ENCODED


class PatternSource:
    """Draws frames at a steady rate; frames that the reader was too slow for are skipped."""

    def __init__(self, request: Request, interrupt: Interrupt) -> None:
        self._request = request
        self._interrupt = interrupt
        self._film: Film | None = None

    def open(self) -> Granted:
        """Render the still part. Raises SourceUnusable: no Pillow, or an impossible request."""
        self.close()
        try:
            from capture_daemon.sources.pattern.film import Film
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
        self._film = Film(card, Pacer(fps, self._interrupt), self._interrupt)
        return Granted("MJPG", width, height, fps, device="test pattern")

    def read(self, timeout_s: float) -> Captured | None:
        """Wait for the next tick and draw it."""
        film = self._opened()
        tick = film.pacer.wait(timeout_s)
        if tick is None:
            return None
        captured_ns = time.monotonic_ns()
        return Captured(film.draw(tick), captured_ns, device_sequence=tick + 1, flags=_FLAGS)

    def read_unusual(self, fast_path: FastPath, timeout_s: float) -> Captured | None:
        """Return the next picture that `fast_path` did not publish by itself, or None likewise."""
        film = self._opened()
        outcome, frame = film.show(fast_path, timeout_s)
        if outcome is not PacedOutcome.UNUSUAL:
            return None
        return Captured(frame, film.captured_ns, film.sequence, flags=_FLAGS)

    def close(self) -> None:
        """Forget the card."""
        self._film = None

    def _opened(self) -> Film:
        if self._film is None:
            raise SourceGone("not-open", "the test pattern is not open", remedy="open it first")
        return self._film
