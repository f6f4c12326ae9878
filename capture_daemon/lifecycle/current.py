"""The source as a person wants it, and as it turned out: what was granted. Frozen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from framebus.contract.causes import one_line

from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Granted

_DEVICES = frozenset({"v4l2", "auto"})
"""The kinds of source that may be a USB camera."""


@dataclass(frozen=True, slots=True)
class CurrentSource:
    """What is to be captured now. It opens nothing and does not know whether that went well."""

    request: CaptureRequest
    kind: str
    """What `auto` means is known once it is open."""
    granted: Granted | None = None
    """None while nothing is open."""
    rested_node: str = ""
    """The node that it let go of to rest, as long as it cannot have become another camera's."""

    def wanted(self, request: CaptureRequest) -> Self:
        """Return it with another request; what is open now stays granted until it is closed."""
        return replace(self, request=request, kind=request.spec.kind, rested_node="")

    def anew(self) -> Self:
        """Return it without what it could not get: it is asked from the request's top again."""
        return replace(self, request=self.request.anew())

    def opened(self, granted: Granted, kind: str) -> Self:
        """Return it as it turned out to be."""
        return replace(self, granted=replace(granted, device=one_line(granted.device)), kind=kind)

    def seen(self, width: int, height: int) -> Self:
        """Return it with its first valid frame's size, pixels."""
        granted = self.granted and replace(self.granted, width=width, height=height)
        return replace(self, granted=granted)

    def closed(self, *, rests: bool = False) -> Self:
        """Return it with nothing granted any more; `rests`: until somebody wants frames."""
        return replace(self, granted=None, rested_node=self.node if rests else "")

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
