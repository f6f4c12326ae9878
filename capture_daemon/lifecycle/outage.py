"""Why there are no frames, the log of it, and the incident that it is: one, however often it fails.

It alone writes the cause and whether the source is given up; others say what has happened.

A loss of frames is an incident from the moment at which something is to blame. What a person wants
(a restart, another format) takes frames away too, but is an incident only if it then fails.
Main thread only; nothing here waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from framebus.contract.causes import Cause
from framebus.contract.words import CuredBy, Rung, State

from capture_daemon.diagnosis.incidents import Incident, Try, new_id
from capture_daemon.lifecycle.lease import Lease
from capture_daemon.sources.base import Granted

_log = logging.getLogger(__name__)
Log = logging.Logger | logging.LoggerAdapter[logging.Logger]

_STOPPED = Cause("stopped", "capture is stopped")
_IDLE = Cause("idle", "off, nobody watches")


class Outage:
    """The present lack of frames. Times are CLOCK_MONOTONIC nanoseconds."""

    def __init__(
        self,
        *,
        camera: str = "",
        tell: Callable[[Incident], None] | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        utc: Callable[[], int] = time.time_ns,
        given_up: bool = False,
        log: Log = _log,
    ) -> None:
        """`tell` is called with the incident whenever it has changed."""
        self.cause: Cause | None = _STOPPED
        """Why there are no frames; None while there are."""
        self.incident: Incident | None = None
        """The incident that goes on now."""
        self.given_up = given_up
        """Whether everything was tried in vain; what is tried from now on is tried again."""
        self.log = log
        self._camera = camera
        self._tell = tell
        self._clock = clock
        self._utc = utc
        self._state = State.STOPPED
        self._since_ns: int | None = None
        self._logged: Cause | None = None
        self._by_hand = False

    def entered(self, state: State) -> None:
        """The capture is in this state now: what fails next, fails in it."""
        self._state = state
        match state:
            case State.STREAMING:
                self.cause = None
            case State.STOPPED:
                self.stop()
            case State.IDLE:
                self.rest()

    def opening(self, what: str) -> None:
        """A source is being opened, and nothing has failed before."""
        self.cause = Cause("opening", f"{what} is being opened")

    def reset(self, rung: Rung) -> None:
        """A person wants a rung."""
        self.cause = Cause("reset", f"{rung} was asked for")

    def give_up(self) -> None:
        """Everything was tried in vain."""
        self.given_up = True

    def begin(self, newest_ns: int) -> None:
        """Frames have stopped; the newest arrived at `newest_ns`."""
        if self._since_ns is not None:
            return  # it flickers: the first loss counts
        self._since_ns = newest_ns
        if self.incident is not None and self.incident.state == self._state:
            self._change(replace(self.incident, began_ns=newest_ns))

    def blame(self, cause: Cause) -> None:
        """Remember the cause, and log it unless it is what was logged last."""
        self.cause = cause
        if cause != self._logged:
            self._logged = cause
            remedy = f" ({cause.remedy})" if cause.remedy else ""
            self.log.warning("%s: %s%s", cause.code, cause.message, remedy)
        self._by_hand = False  # whatever a person did, it did not help
        if self.incident is None:
            began_ns = self._clock() if self._since_ns is None else self._since_ns
            self._change(
                Incident(
                    id=new_id(self._utc()),
                    camera=self._camera,
                    state=self._state,
                    began_ns=began_ns,
                    cause=cause,
                    causes=(cause.code,),
                )
            )
        else:
            self._change(self.incident.blamed(cause, self._clock()))

    def tried(self, rung: str, now_ns: int, note: str = "") -> None:
        """Something was done to get frames again; `rung` is the ladder's word for it."""
        if self.incident is not None:
            self._change(self.incident.with_try(Try(rung, now_ns, note)))

    def covered(self, now_ns: int) -> None:
        """Viewers see the fallback since then: no frames of the camera's, so the loss goes on."""
        if self.incident is not None and self.incident.fallback_ns is None:
            self._change(replace(self.incident, fallback_ns=now_ns))

    def forget(self) -> None:
        """A person has taken a hand: the next failure is news, whatever it is."""
        self._logged = None
        self._by_hand = True

    def end(self, source: str, granted: Granted | None, streaming_since_ns: int) -> None:
        """The stream has proved itself: say so, once."""
        what = f"{granted.fourcc} {granted.width}x{granted.height}" if granted else "frames"
        again = ""
        if self._since_ns is not None and self.incident is not None:  # else: as a person wished
            again = f" again after {(streaming_since_ns - self._since_ns) / 1e9:.1f} s"
        self.log.info("streaming %s from %s%s", what, source, again)
        self._since_ns = None
        self._logged = None
        self.given_up = False
        if self.incident is not None:
            self._close(self.incident.cured(streaming_since_ns, self._cured_by()))

    def stop(self) -> None:
        """A person wants no frames."""
        self.log.info("stopped")
        self._want_none(_STOPPED, "capture was stopped")

    def lend(self, lease: Lease, now_ns: int) -> None:
        """Another program has the device, or has it for longer."""
        self.log.info("lent to %s for %.0f s", lease.to, (lease.until_ns - now_ns) / 1e9)
        self._want_none(Cause("lent", f"lent to {lease.to}"), "the camera was lent")

    def rest(self) -> None:
        """Nobody wants frames."""
        self.log.info("idle: nobody watches")
        self._want_none(_IDLE, "nobody watched")

    # -- inside ----------------------------------------------------------------------------

    def _want_none(self, cause: Cause, what: str) -> None:
        self.cause = cause
        self._since_ns = None
        self._logged = None
        self.given_up = False
        if self.incident is not None:
            note = f"{what} before frames came back"
            self._close(self.incident.given_up(self._clock(), note))

    def _cured_by(self) -> str:
        if self._by_hand:
            return CuredBy.PERSON
        tried = self.incident.tried if self.incident else ()
        return tried[-1].rung if tried else CuredBy.ITSELF

    def _change(self, incident: Incident) -> None:
        if incident != self.incident:
            self.incident = incident
            if self._tell is not None:
                self._tell(incident)

    def _close(self, incident: Incident) -> None:
        self._change(incident)
        self.incident = None
