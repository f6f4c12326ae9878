"""Why there are no frames, and the log of it: one line per reason, however often it repeats."""

from __future__ import annotations

import logging

from capture_daemon.reports import Cause
from capture_daemon.sources.base import Granted

log = logging.getLogger(__name__)


class Outage:
    """The present lack of frames. Time comes in as CLOCK_MONOTONIC nanoseconds."""

    def __init__(self, cause: Cause) -> None:
        self.cause: Cause | None = cause
        """None while there are frames."""
        self._since_ns: int | None = None
        self._logged: Cause | None = None

    def begin(self, newest_ns: int) -> None:
        """Frames have stopped; the newest arrived at `newest_ns`."""
        self._since_ns = newest_ns

    def blame(self, cause: Cause) -> None:
        """Remember the cause, and log it unless it is what was logged last."""
        self.cause = cause
        if cause != self._logged:
            self._logged = cause
            remedy = f" ({cause.remedy})" if cause.remedy else ""
            log.warning("%s: %s%s", cause.code, cause.message, remedy)

    def tried(self, rung: str, now_ns: int, note: str = "") -> None:
        """Something was done to get frames again; `rung` is the ladder's word for it."""
        log.debug("tried %s at %d ns: %s", rung, now_ns, note)

    def forget(self) -> None:
        """A person has taken a hand: the next failure is news, whatever it is."""
        self._logged = None

    def end(self, source: str, granted: Granted | None, streaming_since_ns: int) -> None:
        """The stream has proved itself: say so, once."""
        what = f"{granted.fourcc} {granted.width}x{granted.height}" if granted else "frames"
        if self._since_ns is None:
            log.info("streaming %s from %s", what, source)
        else:
            away_s = (streaming_since_ns - self._since_ns) / 1e9
            log.info("streaming %s from %s again after %.1f s", what, source, away_s)
        self._since_ns = None
        self._logged = None

    def stop(self, cause: Cause) -> None:
        """A person wants no frames."""
        self.cause = cause
        self._since_ns = None
        self._logged = None
        log.info("stopped")
