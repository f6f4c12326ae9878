"""What a predecessor left to this daemon: its last words and frame, an open, streaming device, and
whether to go on with it.

Pure but for the descriptor that it owns. In doubt it is not gone on with: the device is opened
afresh, which costs half a second and is always right.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from framebus.contract.words import State
from framebus.frame import FrameFlags
from framebus.json_parts import object_at
from framebus.ring.predecessor import Predecessor

from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.sources.base import Granted, LastFrame, SourceError


@dataclass(frozen=True, slots=True)
class PredecessorState:
    """What the predecessor's ring said; empty without one."""

    newest_ns: int = 0
    """When its newest frame was captured, CLOCK_MONOTONIC; 0 if there was none."""
    last: LastFrame | None = None
    """The same frame, if it was the camera's."""
    status: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, predecessor: Predecessor | None) -> Self:
        """Return what is worth to be known of it."""
        if predecessor is None:
            return cls()
        newest = predecessor.newest
        if newest is None:
            return cls(status=predecessor.status)
        last = LastFrame(newest.captured_ns, newest.device_sequence)
        from_camera = FrameFlags.FALLBACK not in newest.flags
        return cls(newest.captured_ns, last if from_camera else None, predecessor.status)

    @property
    def given_up(self) -> bool:
        """Whether viewers saw the fallback when it died: they shall go on to."""
        return object_at(self.status, "fallback").get("shown") is True

    @property
    def rested(self) -> bool:
        """Whether it had closed the camera when it died, since nobody wanted frames."""
        return self.status.get("state") == State.IDLE

    def device(self, fd: int | None) -> InheritedDevice | None:
        """Return the device that was handed over, with what its owner said of it last."""
        return None if fd is None else InheritedDevice(fd, self.status, self.last)


class InheritedDevice:
    """One descriptor with what its owner said of it. Used once: `take` or `close`."""

    def __init__(self, fd: int, status: Mapping[str, object], last: LastFrame | None) -> None:
        """Own `fd`; `status` is the predecessor's last document, `last` the last frame it gave."""
        self._fd = fd
        self._file = os.fstat(fd)
        self._source = object_at(status, "source")
        self.last = last

    @property
    def rdev(self) -> int:
        """The device number. Raises SourceError when it is no device."""
        if not stat.S_ISCHR(self._file.st_mode):
            raise SourceError("not-a-camera", "what was handed over is no device")
        return self._file.st_rdev

    def check_request(self, request: CaptureRequest) -> None:
        """Raise SourceError unless `request` is what the predecessor was carrying out."""
        spec, requested = self._source.get("spec"), self._source.get("requested")
        if spec != request.spec.public or requested != request.format.document():
            raise SourceError("other-request", "something else is to be captured now")

    def check_granted(self, granted: Granted) -> None:
        """Raise SourceError unless the device streams what the predecessor was granted."""
        if self._source.get("granted") != granted.document():
            raise SourceError("other-format", "the device streams in another format")

    def take(self) -> int:
        """Return the descriptor; it is the caller's from now on."""
        fd, self._fd = self._fd, -1
        return fd

    def close(self) -> None:
        """Close the descriptor unless it was taken."""
        if self._fd >= 0:
            os.close(self.take())
