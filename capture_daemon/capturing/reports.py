"""What the threads tell the main thread, and the mailbox that carries it.

Frozen values only: nothing here can be changed by the thread that sent it. A session is one
opening of a source; a report of an earlier session than the controller's is old news.
"""

from __future__ import annotations

import logging
import queue
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from framebus import installation
from framebus.contract.causes import Cause
from framebus.contract.words import Rejection, Rung
from framebus.errors import UsageError
from framebus.ring.layout import capacity_for
from framebus.units import byte_count_text
from framebus.wakeup import Wakeup

from capture_daemon.capturing.switcher import TOO_LARGE
from capture_daemon.recovery.rungs import Outcome, Unavailable
from capture_daemon.settings.spec import SourceSpec
from capture_daemon.sources import remedies
from capture_daemon.sources.base import Granted, SourceError

log = logging.getLogger(__name__)

_R = TypeVar("_R")


def ring_size_remedy(length: int) -> str:
    """Return what to do about frames of `length` bytes, which are too large for the ring."""
    size = byte_count_text(capacity_for(length))
    return (
        f'start it with --ring-size {size}, or ring_size = "{size}" in the configuration; '
        "or have the source send smaller pictures"
    )


def silence_cause(source: SourceSpec, rejected: Sequence[Rejection], too_large: int = 0) -> Cause:
    """Return why `source` counts as silent, given for what its frames were rejected lately, the
    most frequent reason first.

    `too_large` bytes had the largest that the ring did not take, 0 if it took all. The message has
    no figures in it, so that a repetition is recognised as one.
    """
    if too_large and TOO_LARGE in rejected:
        what = (
            f"the frames of {source.public} are too large for the ring, "
            "which takes a quarter of its size"
        )
        return Cause(TOO_LARGE, what, ring_size_remedy(too_large))
    remedy = remedies.BY_MEDIUM[source.medium]
    if rejected:
        what = (
            f"no valid frame from {source.public}: they are rejected, most often as {rejected[0]}"
        )
        return Cause("garbage", what, remedy.garbage)
    return Cause("silent", f"{source.public} sends no frames", remedy.silent)


def not_answering_cause(source: SourceSpec, doing: str, blocked_s: float) -> Cause:
    """Return why there are no frames while `source` has not returned from what it does."""
    return Cause(
        "not-answering",
        f"{source.public} has not answered for {blocked_s:.0f} s ({doing})",
        remedies.BY_MEDIUM[source.medium].not_answering,
    )


def cause_of(error: Exception, source: SourceSpec) -> tuple[Cause, bool]:
    """Return why `source` raised this, and whether trying again unchanged cannot help."""
    match error:
        case SourceError():
            message = source.conceal(error.message)
            return Cause(error.code, message, error.remedy), error.permanent
        case UsageError():
            return Cause("bad-source", source.conceal(str(error))), True
        case ImportError():
            what = f"{installation.module(error)}, which this source needs, cannot be imported"
            return Cause("not-installed", what, installation.REMEDY), True
        case _:
            log_bug("a bug in the source", error)
            return Cause("bug", f"{type(error).__name__} in the source"), False


def log_bug(what: str, error: Exception) -> None:
    """Log where an error came from, and not what it says: that may quote a source."""
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s: %s\n%s", what, type(error).__name__, where)


def frozen_cause(source: SourceSpec) -> Cause:
    """Return what to say of a camera whose picture never changes."""
    return Cause(
        "frozen",
        f"{source.public} has sent the same picture for a while, byte for byte",
    )


@dataclass(frozen=True, slots=True)
class Report:
    """Something that happened in one session of the capture thread."""

    session: int


@dataclass(frozen=True, slots=True)
class Opened(Report):
    """The source is open."""

    granted: Granted
    kind: str
    """What `auto` turned out to be; otherwise the kind asked for."""


@dataclass(frozen=True, slots=True)
class FrameSeen(Report):
    """The first valid frame after an open or a stream restart was published."""

    width: int
    """Pixels, as the frame itself or the source says; 0 if neither does."""
    height: int


@dataclass(frozen=True, slots=True)
class Settled(Report):
    """Enough valid frames in a row to call the stream sound."""


@dataclass(frozen=True, slots=True)
class StreamRestarted(Report):
    """The stream was stopped and started on the open device."""


@dataclass(frozen=True, slots=True)
class Failed(Report):
    """The source raised; it is closed."""

    cause: Cause
    permanent: bool


@dataclass(frozen=True, slots=True)
class Closed(Report):
    """The source of this session is closed, as commanded."""


@dataclass(frozen=True, slots=True)
class Surveyed(Report):
    """Which rungs cannot be used on the source's device now."""

    unavailable: tuple[Unavailable, ...]


@dataclass(frozen=True, slots=True)
class RungDone(Report):
    """A rung was carried out, or not."""

    rung: Rung
    outcome: Outcome


class Mailbox:
    """Thread-safe: any thread posts, the main thread polls `fileno()` and has it delivered."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wakeup = Wakeup()

    def fileno(self) -> int:
        """Readable while something waits."""
        return self._wakeup.fileno()

    def slot(self, take: Callable[[_R], None]) -> Callable[[_R], None]:
        """Return what posts reports to `take`, which the main thread calls with each.

        It never blocks; what is posted after `close` nobody takes.
        """

        def post(report: _R) -> None:
            self._waiting.put(lambda: take(report))
            self._wakeup.set()

        return post

    def deliver(self) -> None:
        """Have what waits taken, oldest first."""
        # The descriptor first: a report posted after this line sets it again.
        if self._wakeup.clear():
            while not self._waiting.empty():
                self._waiting.get_nowait()()

    def close(self) -> None:
        """Close the descriptor."""
        self._wakeup.close()
