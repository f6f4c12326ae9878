"""The test pattern's next frames, up to the end of a second, laid out for the fast path.

Within a second only the rows with the marker differ, and those are drawn once. So the frames of a
second are known when it begins: one picture, and where its rows for each tick are.
"""

from __future__ import annotations

import ctypes
import time
from array import array

from capture_daemon.native.library import FastPath, PacedOutcome
from capture_daemon.sources.base import Interrupt
from capture_daemon.sources.paced import PacedFrames
from capture_daemon.sources.pacing import Pacer
from capture_daemon.sources.pattern.testcard import Card
from capture_daemon.sources.pattern.time_code import TimeCode, TimeCodes

_SWEEP_S = 2
"""Seconds in which the marker crosses the picture."""


class Film:
    """One open test pattern."""

    def __init__(self, card: Card, pacer: Pacer, interrupt: Interrupt) -> None:
        self._card = card
        self.pacer = pacer
        self._codes = TimeCodes(pacer.fps)
        self._paced = PacedFrames(pacer, interrupt, by_tick=True)
        self._frames = array("Q")
        self._rows: list[bytes] = []
        """What `_frames` has addresses of."""

    def draw(self, tick: int) -> bytes:
        """Return the frame of a tick that is now."""
        code = self._codes.at(tick, time.time())
        return self._card.draw(_clock(code), *self._place(code))

    def show(self, fast_path: FastPath, timeout_s: float) -> tuple[PacedOutcome, memoryview]:
        """Publish frames until one is not usual, which is returned, or none is due for so long."""
        outcome = self._paced.show(fast_path, timeout_s)
        if outcome is PacedOutcome.OVER:
            self._lay_out()
            outcome = self._paced.show(fast_path, timeout_s)
        return outcome, self._paced.frame

    @property
    def sequence(self) -> int:
        """The number of the frame that `show` took last."""
        return self._paced.state.sequence

    @property
    def captured_ns(self) -> int:
        """When that was, CLOCK_MONOTONIC."""
        return self._paced.state.captured_ns

    def _lay_out(self) -> None:
        """Lay out the next frames: those of one second, as far as their rows are drawn."""
        pacer = self.pacer
        tick = pacer.next_tick = max(pacer.next_tick, pacer.elapsed())
        left_s = pacer.start_ns / 1e9 + tick * pacer.interval_s - time.monotonic()
        due_s = time.time() + max(0.0, left_s)
        first = code = self._codes.at(tick, due_s)
        self._rows, number = [], 0
        while code.second == first.second and (not number or self._card.has(*self._place(code))):
            self._rows.append(self._card.marker(*self._place(code)))
            number += 1
            code = self._codes.at(tick + number, due_s + number * pacer.interval_s)
        begin, end, state = self._card.begin(_clock(first)), self._card.end, self._paced.state
        longest = max(map(len, self._rows))
        self._paced.make_room(len(begin) + longest + len(end))[: len(begin)] = begin
        self._frames = array("Q")
        for row in self._rows:
            self._frames.extend((_address(row), len(row), 0))
        state.frames, state.count, state.at = self._frames.buffer_info()[0], number, 0
        state.before, state.after, state.after_length = len(begin), _address(end), len(end)

    def _place(self, code: TimeCode) -> tuple[str, float]:
        """Return the number on the picture, and where the marker is."""
        phase = (code.second % _SWEEP_S + code.frame / self.pacer.fps) / _SWEEP_S
        return f"+{code.frame:02}/{self.pacer.fps:g}", phase


def _clock(code: TimeCode) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(code.second))


def _address(data: bytes) -> int:
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
