"""The device thread: asks and adjusts the open source's device, which may take it seconds.

It exists so that a control call never waits in the main thread and never delays a frame in the
capture thread. It decides nothing; what happened goes to the mailbox.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from framebus.errors import UsageError

from capture_daemon.sources.base import Adjustable, Source, SourceError

log = logging.getLogger(__name__)

Documents = list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Described:
    """What the newly opened source offers; `adjustable` is False if it has nothing to adjust."""

    session: int
    adjustable: bool
    formats: Documents | None
    """None when the device would not say."""
    controls: Documents | None


@dataclass(frozen=True, slots=True)
class ControlsRead:
    """The controls as they are now; None when the device would not say."""

    ticket: int
    controls: Documents | None


@dataclass(frozen=True, slots=True)
class ControlsSet:
    """The outcome of one `set_controls`."""

    ticket: int
    applied: Mapping[str, object]
    error: Exception | None
    """UsageError or SourceError: what the device, or its source, had against it."""
    controls: Documents | None
    """All controls afterwards, since one may change others; None when the device would not say."""


DeviceReport = Described | ControlsRead | ControlsSet


@dataclass(frozen=True, slots=True)
class _Attach:
    session: int
    source: Source


@dataclass(frozen=True, slots=True)
class _Read:
    ticket: int


@dataclass(frozen=True, slots=True)
class _Set:
    ticket: int
    values: Mapping[str, object]


class DeviceThread(threading.Thread):
    """Start it once; `quit` ends it. The other public methods return at once, in any thread."""

    def __init__(self, *, post: Callable[[DeviceReport], None]) -> None:
        # A daemon thread: one that hangs in an ioctl must not keep the interpreter from exiting.
        super().__init__(name="device", daemon=True)
        self._post = post
        self._jobs: queue.SimpleQueue[_Attach | _Read | _Set | None] = queue.SimpleQueue()
        self._source: Source | None = None

    def attach(self, session: int, source: Source) -> None:
        """A source was opened: describe it, and work on it from now on. Ends in Described."""
        self._jobs.put(_Attach(session, source))

    def read_controls(self, ticket: int) -> None:
        """Read the controls. Ends in ControlsRead."""
        self._jobs.put(_Read(ticket))

    def set_controls(self, ticket: int, values: Mapping[str, object]) -> None:
        """Set controls. Ends in ControlsSet."""
        self._jobs.put(_Set(ticket, values))

    def quit(self) -> None:
        """End the thread after the job it is at."""
        self._jobs.put(None)

    def run(self) -> None:
        """Do one job after another."""
        while (job := self._jobs.get()) is not None:
            match job:
                case _Attach(session, source):
                    self._source = source
                    self._post(self._describe(session))
                case _Read(ticket):
                    self._post(ControlsRead(ticket, self._controls()))
                case _Set(ticket, values):
                    self._post(self._set(ticket, values))

    def _describe(self, session: int) -> Described:
        source = self._source
        if not isinstance(source, Adjustable):
            return Described(session, False, [], [])
        return Described(session, True, self._try(source.formats), self._controls())

    def _controls(self) -> Documents | None:
        source = self._source
        return self._try(source.controls) if isinstance(source, Adjustable) else None

    def _try(self, ask: Callable[[], Documents]) -> Documents | None:
        try:
            return ask()
        except SourceError as error:
            log.info("the device does not say what it offers: %s", error.message)
        except Exception:
            log.exception("a bug in the source")  # it must not end the thread
        return None

    def _set(self, ticket: int, values: Mapping[str, object]) -> ControlsSet:
        source = self._source
        if not isinstance(source, Adjustable):
            refused = SourceError("not-open", "the source has no controls")
            return ControlsSet(ticket, {}, refused, None)
        try:
            return ControlsSet(ticket, source.set_controls(values), None, self._controls())
        except (SourceError, UsageError) as error:
            return ControlsSet(ticket, {}, error, self._controls())
        except Exception as error:
            log.exception("a bug in the source")  # it must not end the thread
            return ControlsSet(ticket, {}, error, None)
