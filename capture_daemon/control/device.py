"""The device thread: asks and adjusts the open source's device, which may take it seconds.

It exists so that a control call never waits in the main thread and never delays a frame in the
capture thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from framebus.errors import UsageError

from capture_daemon.control.job_thread import JobThread
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


class DeviceThread(JobThread):
    """Works on the source that was opened last."""

    def __init__(self, *, post: Callable[[DeviceReport], None]) -> None:
        super().__init__(name="device")
        self._post = post
        self._source: Source | None = None

    def attach(self, session: int, source: Source) -> None:
        """A source was opened: describe it, and work on it from now on. Ends in Described."""
        self._put(lambda: self._attach(session, source))

    def read_controls(self, ticket: int) -> None:
        """Read the controls. Ends in ControlsRead."""
        self._put(lambda: self._post(ControlsRead(ticket, self._controls())))

    def set_controls(self, ticket: int, values: Mapping[str, object]) -> None:
        """Set controls. Ends in ControlsSet."""
        self._put(lambda: self._post(self._set(ticket, values)))

    def _attach(self, session: int, source: Source) -> None:
        self._source = source
        if isinstance(source, Adjustable):
            self._post(Described(session, True, self._try(source.formats), self._controls()))
        else:
            self._post(Described(session, False, [], []))

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
