"""Where a capture is at one moment, frozen: what is told of the lifecycle comes from here alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from framebus.contract.causes import Cause
from framebus.contract.words import State

from capture_daemon.lifecycle.current import CurrentSource
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.recovery.escalation import Progress
from capture_daemon.settings.spec import SourceSpec


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One source's capture. Times are CLOCK_MONOTONIC nanoseconds."""

    state: State
    since_ns: int
    source: CurrentSource
    cause: Cause | None
    """Why there are no frames; None while there are."""
    incident: str | None
    """The id of the incident that goes on now."""
    attempts: int
    """Failures in a row."""
    retry_ns: int | None
    """When it is tried again."""
    recovery: Progress
    lease: Lease | None
    """To whom the device is lent now."""
    watched: bool
    """Whether anybody wants frames."""

    @property
    def news(self) -> tuple[object, ...]:
        """What is worth telling at once when it differs from what it was: of a cause only the code,
        since a message may count seconds.
        """
        return replace(self, cause=None), self.cause and self.cause.code


@dataclass(frozen=True, slots=True)
class FallbackSnapshot:
    """The fallback's capture, and what viewers see of it."""

    spec: SourceSpec | None
    """None: there is no fallback."""
    wanted: bool
    shown_ns: int | None
    """Since when viewers have seen it; None while they do not."""
    own: Snapshot

    @property
    def news(self) -> tuple[object, ...]:
        """What is worth telling at once when it differs from what it was."""
        own = self.own
        return self.spec, self.shown_ns, own.state, own.source.granted
