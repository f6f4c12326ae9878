"""What can be seen of a stream now, and what that says: it hangs, is silent, or sends no pictures.

Main thread only; it asks the capture thread without waiting for it. Times are CLOCK_MONOTONIC
nanoseconds.
"""

from __future__ import annotations

from framebus.contract.causes import Cause
from framebus.contract.words import State
from framebus.options.table import FROZEN_AFTER

from capture_daemon.capturing.commands import CaptureCommands
from capture_daemon.capturing.reports import frozen_cause, not_answering_cause, silence_cause
from capture_daemon.lifecycle import guards
from capture_daemon.lifecycle.current import CurrentSource
from capture_daemon.lifecycle.silence import SilenceWatch

_CLOSING = {
    State.STOPPED: Cause("closing", "capture is stopped; the source is being closed"),
    State.LENT: Cause("closing", "the camera is lent; it is being closed"),
    State.IDLE: Cause("closing", "nobody watches; the source is being closed"),
}


class StreamObserver:
    """Looks at one capture thread."""

    def __init__(self, capture: CaptureCommands) -> None:
        self._capture = capture
        self.silence = SilenceWatch()

    def arrived_ns(self) -> int:
        """Return when the newest valid frame arrived; 0 if none yet."""
        return self._capture.observed().arrived_ns

    def is_hopeless(self, state: State, now_ns: int) -> bool:
        """Tell whether the source has not returned for so long that it is given up."""
        return guards.is_hopeless(state, self._capture.observed().blocked_s(now_ns))

    def silence_cause(self, source: CurrentSource) -> Cause:
        """Return what there is to say of a source that gives no frames."""
        seen = self._capture.observed()
        return silence_cause(source.request.spec, seen.rejected, seen.too_large)

    def silence_due_ns(self, source: CurrentSource, *, patient: bool) -> int | None:
        """Return when the silence becomes a stall, None if it cannot now."""
        if not self.silence.expects:
            return None
        seen = self._capture.observed()
        # Networks and programs take their time, whatever they took before. A camera that sends
        # pictures which are no good is not beginning from cold.
        patient = (patient and not seen.rejected) or not source.on_device
        return self.silence.due_ns(source.granted, seen, patient=patient)

    def cause(
        self, state: State, source: CurrentSource, now_ns: int, *, closing: bool
    ) -> Cause | None:
        """Return what can be seen now that says more than the last failure; None for nothing."""
        request, seen = source.request, self._capture.observed()
        if guards.is_not_answering(state, seen.blocked_s(now_ns)):
            return not_answering_cause(request.spec, seen.doing, seen.blocked_s(now_ns))
        if state is State.OPENING and seen.rejected and self.silence.waits(now_ns):
            return self.silence_cause(source)
        since_ns, limit_s = seen.unchanged_since_ns, request.options[FROZEN_AFTER]
        if guards.is_frozen(state, source.kind, since_ns, limit_s, now_ns):
            return frozen_cause(request.spec)
        return _CLOSING.get(state) if closing else None
