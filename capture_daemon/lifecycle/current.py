"""The source as a person wants it, and as it turned out: what was granted. Main thread only."""

from __future__ import annotations

from dataclasses import replace

from framebus.contract.causes import one_line

from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Granted

_DEVICES = frozenset({"v4l2", "auto"})
"""The kinds of source that may be a USB camera."""


class CurrentSource:
    """What is to be captured now. It opens nothing and does not know whether that went well."""

    def __init__(self, request: CaptureRequest) -> None:
        self.request = request
        self.kind = request.spec.kind
        """What `auto` means is known once it is open."""
        self.granted: Granted | None = None
        """None while nothing is open."""

    def want(self, request: CaptureRequest) -> None:
        """Take over another request; what is open now stays granted until it is closed."""
        self.request = request
        self.kind = request.spec.kind

    def begin_anew(self) -> None:
        """Forget what the source could not get: it is asked from the request's top again."""
        self.request = self.request.anew()

    def opened(self, granted: Granted, kind: str) -> None:
        """Take note of what it is and gives."""
        self.granted = replace(granted, device=one_line(granted.device))
        self.kind = kind

    def seen(self, width: int, height: int) -> None:
        """Take note of its first valid frame's size, pixels."""
        if self.granted:
            self.granted = replace(self.granted, width=width, height=height)

    def closed(self) -> None:
        """Nothing is granted any more."""
        self.granted = None

    @property
    def on_device(self) -> bool:
        """Whether it may be a USB camera, which the ladder has more rungs for."""
        return self.kind in _DEVICES

    @property
    def node(self) -> str:
        """The node of the camera that is open; empty if there is none."""
        if self.kind != "v4l2" or self.granted is None:
            return ""
        return self.granted.device.split(" ", 1)[0]

    @property
    def name(self) -> str:
        """What was asked for, and what `auto` turned out to be: for the log."""
        text = self.request.spec.text
        if self.granted is None or self.kind == self.request.spec.kind:
            return text
        return f"{text} ({self.granted.device})"
