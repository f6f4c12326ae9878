"""Keeps a source that is dead from costing a core: ffmpeg is not started in vain without end.

A start takes 60 ms of processor time for ffmpeg's libraries alone, whatever it then finds. A few in
a row are worth that: what ends by itself is over soon. After them there is a pause.
"""

from __future__ import annotations

from capture_daemon.sources.base import SourceError

FREE = 3
"""Starts in a row that nothing is waited for after."""
SHARE = 0.01
"""Of a core, for those that follow,"""
MOST_S = 30.0
"""unless that would be a longer pause than this."""


class StartSpacing:
    """Of one source, over all its openings. Times are time.monotonic(), seconds.

    A person who asks for a restart has another source made, and so another one of these.
    """

    def __init__(self) -> None:
        self._failure: SourceError | None = None
        self._in_vain = 0
        self._again_s = 0.0

    def check(self, now_s: float) -> None:
        """Raise the last failure again if it is too early for another start."""
        if self._failure is not None and now_s < self._again_s:
            raise self._failure.again()

    def failed(self, error: SourceError, now_s: float, cost_s: float) -> None:
        """A start that took `cost_s` of processor time was in vain."""
        self._failure = error
        self._in_vain += 1
        pause_s = min(cost_s / SHARE, MOST_S) if self._in_vain >= FREE else 0.0
        self._again_s = now_s + pause_s

    def worked(self) -> None:
        """There are pictures."""
        self._failure, self._in_vain = None, 0
