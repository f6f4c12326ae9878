"""Another source that viewers see while the camera is given up. Main thread only.

It is a whole source of its own, with a thread, a controller and a ladder: it may fail and come back
like any other, and the camera's tries never wait for it. Here is only when it is wanted, and when
it is on the air:

- wanted from the moment at which everything was tried on the camera in vain, until the camera has
  proved itself, or a person stops or lends it;
- on the air while it is wanted and the camera does not stream. So a camera that gives a few frames
  and fails again is seen as long as it gives them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from typing import Any

from framebus.contract.words import State

from capture_daemon.lifecycle.controller import CaptureController
from capture_daemon.lifecycle.snapshot import FallbackSnapshot
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.settings.spec import SourceSpec


class FallbackLog(logging.LoggerAdapter[logging.Logger]):
    """Says of every line that it is about the fallback."""

    def process(
        self, msg: object, kwargs: MutableMapping[str, Any]
    ) -> tuple[str, MutableMapping[str, Any]]:
        """Return the line as it is logged."""
        return f"fallback: {msg}", kwargs


log = FallbackLog(logging.getLogger(__name__))


class Fallback:
    """Starts and stops the fallback's controller, and says which of the two viewers see."""

    def __init__(
        self,
        *,
        camera: CaptureController,
        own: CaptureController,
        show: Callable[[bool], None],
        spec: SourceSpec | None,
    ) -> None:
        """Watch `camera`; `own` captures the source `spec`, None if there is no fallback.

        `show` puts the fallback on the air, or the camera.
        """
        self._camera = camera
        self.own = own
        self._show = show
        self.spec = spec
        self.wanted = False
        """Whether it is captured, on the air or not."""
        self.shown_ns: int | None = None
        """Since when viewers have seen it, CLOCK_MONOTONIC nanoseconds; None while they do not."""

    def configure(self, spec: SourceSpec | None, now_ns: int) -> bool:
        """Take over another fallback, or none; False if it is the present one.

        Called after the camera's request has changed too: the same size and rate are asked of both.
        """
        changed = spec != self.spec
        self.spec = spec
        if spec is not None:
            self.own.configure(fallback_request(self._camera.source.request, spec), now_ns)
        self.tick(now_ns)
        return changed

    def tick(self, now_ns: int) -> None:
        """Look at the camera, and at what is due; after every round of the main loop."""
        wanted = self.spec is not None and self._camera.outage.given_up
        if wanted is not self.wanted:
            self.wanted = wanted
            if wanted:
                self.own.start(now_ns)
            else:
                self.own.stop(now_ns)
        self.own.tick(now_ns)
        on_air = wanted and self._camera.state is not State.STREAMING
        self._show(on_air)
        self._tell(on_air and self.own.state is State.STREAMING, now_ns)

    def snapshot(self, now_ns: int) -> FallbackSnapshot:
        """Return all that is told of the fallback, as it is now."""
        return FallbackSnapshot(self.spec, self.wanted, self.shown_ns, self.own.snapshot(now_ns))

    def _tell(self, shown: bool, now_ns: int) -> None:
        if shown is not (self.shown_ns is not None):
            self.shown_ns = now_ns if shown else None
            until = "is shown until the camera is back" if shown else "is no longer shown"
            log.info("%s %s", self.own.source.request.spec.text, until)
        if self.shown_ns is not None:  # each time: the incident may begin only now
            self._camera.outage.covered(self.shown_ns)


def fallback_request(camera: CaptureRequest, spec: SourceSpec) -> CaptureRequest:
    """Return what is asked of a fallback: what is asked of the camera."""
    return replace(camera, spec=spec, times=0)
