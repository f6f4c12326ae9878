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
class ControlsSet:
    """The outcome of one `set_controls`."""

    applied: Mapping[str, object]
    error: Exception | None
    """UsageError or SourceError: what the device, or its source, had against it."""
    controls: Documents | None
    """All controls afterwards, since one may change others; None when the device would not say."""


class DeviceThread(JobThread):
    """Works on the source that was opened last."""

    def __init__(self, *, described: Callable[[Described], None]) -> None:
        """`described` takes what each source that is opened offers."""
        super().__init__(name="device")
        self._described = described
        self._source: Source | None = None

    def attach(self, session: int, source: Source) -> None:
        """A source was opened: describe it, and work on it from now on."""
        self._put(lambda: self._attach(session, source))

    def read_controls(self, post: Callable[[Documents | None], None]) -> None:
        """Post the controls as they are now; None when the device would not say."""
        self._put(lambda: post(self._controls()))

    def set_controls(
        self, values: Mapping[str, object], post: Callable[[ControlsSet], None]
    ) -> None:
        """Set controls, and post the outcome."""
        self._put(lambda: post(self._set(values)))

    def _attach(self, session: int, source: Source) -> None:
        self._source = source
        if isinstance(source, Adjustable):
            formats, controls = self._try(source.formats), self._controls()
            self._described(Described(session, True, formats, controls))
        else:
            self._described(Described(session, False, [], []))

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

    def _set(self, values: Mapping[str, object]) -> ControlsSet:
        source = self._source
        if not isinstance(source, Adjustable):
            refused = SourceError("not-open", "the source has no controls")
            return ControlsSet({}, refused, None)
        try:
            return ControlsSet(source.set_controls(values), None, self._controls())
        except (SourceError, UsageError) as error:
            return ControlsSet({}, error, self._controls())
        except Exception as error:
            log.exception("a bug in the source")  # it must not end the thread
            return ControlsSet({}, error, None)
