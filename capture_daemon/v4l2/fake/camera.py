"""The camera of FakeKernel: what it offers, the frames it makes and how they may be damaged.

A frame is a real JPEG with a comment that carries its number, so that loss and order are seen
without decoding.
"""

from __future__ import annotations

import base64
import enum
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from linuxpy.video.raw import ControlID, CtrlType

_PICTURE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQ"
    "c1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAQABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAABgX/xAAXEAAD"
    "AQAAAAAAAAAAAAAAAAAAAQUx/9oACAEBAAA/AJc9YJp6wNz1gmnrD//Z"
)  # 16x16 pixels, grey
_SOI, _COMMENT = _PICTURE[:2], b"\xff\xfe"


class FrameFault(enum.Enum):
    """What may be wrong with one frame; all but the first two are noticed by uvcvideo."""

    TRUNCATED = "truncated"
    GARBAGE = "garbage"
    EMPTY = "empty"
    ERROR_BIT = "error-bit"
    OVERSIZED = "oversized"

    @property
    def seen_by_driver(self) -> bool:
        """Whether the driver notices."""
        return self not in (FrameFault.TRUNCATED, FrameFault.GARBAGE)


@dataclass(slots=True)
class FakeControl:
    """A control and its value."""

    id: int
    label: str
    type: CtrlType
    minimum: int
    maximum: int
    step: int
    default: int
    value: int
    menu: Mapping[int, str] = field(default_factory=dict)
    governor: int = 0
    """The automatic control that makes this one inactive; 0: none."""
    free: int = 0
    """The governor's value at which it lets go."""


Offers = Mapping[str, Mapping[tuple[int, int], tuple[int, ...]]]
"""Fourcc, frame size, rates in frames a second."""

WEBCAM: Offers = {
    "MJPG": {(640, 480): (30, 15), (1280, 720): (30, 15), (1920, 1080): (30, 5)},
    "YUYV": {(640, 480): (30, 15), (1280, 720): (10,)},
}
"""As many webcams do."""


def webcam_controls() -> list[FakeControl]:
    """Return the controls of a usual webcam."""
    return [
        FakeControl(ControlID.BRIGHTNESS, "Brightness", CtrlType.INTEGER, -64, 64, 1, 0, 0),
        FakeControl(ControlID.CONTRAST, "Contrast", CtrlType.INTEGER, 0, 64, 4, 32, 32),
        FakeControl(
            ControlID.AUTO_WHITE_BALANCE,
            "White Balance, Automatic",
            CtrlType.BOOLEAN, 0, 1, 1, 1, 1,
        ),
        FakeControl(
            ControlID.WHITE_BALANCE_TEMPERATURE,
            "White Balance Temperature",
            CtrlType.INTEGER, 2800, 6500, 10, 4600, 4600,
            governor=ControlID.AUTO_WHITE_BALANCE,
        ),
        FakeControl(
            ControlID.EXPOSURE_AUTO,
            "Auto Exposure",
            CtrlType.MENU, 0, 3, 1, 3, 3,
            menu={1: "Manual Mode", 3: "Aperture Priority Mode"},
        ),
        FakeControl(
            ControlID.EXPOSURE_ABSOLUTE,
            "Exposure Time, Absolute",
            CtrlType.INTEGER, 1, 5000, 1, 157, 157,
            governor=ControlID.EXPOSURE_AUTO, free=1,
        ),
    ]  # fmt: skip


class FakeCamera:
    """One camera: where it is, what it offers, and what is the matter with it."""

    def __init__(self, path: str = "/dev/video0", *, offers: Offers = WEBCAM) -> None:
        self.path = path
        self.offers = offers
        self.controls = {control.id: control for control in webcam_controls()}
        self.silent = False
        """Sends nothing more, and gives no errno."""
        self.faults: deque[FrameFault] = deque()
        """One for each of the next frames."""

    def picture(self, fourcc: str, size: tuple[int, int], count: int) -> bytes:
        """Return frame number `count` as the camera sends it."""
        if fourcc == "YUYV":
            return bytes((count % 256, 128)) * (size[0] * size[1])
        text = b"frame %d" % count
        return _SOI + _COMMENT + (len(text) + 2).to_bytes(2, "big") + text + _PICTURE[2:]

    def damage(self, picture: bytes) -> tuple[bytes, FrameFault | None]:
        """Return the picture with the next fault done to it, and which that was."""
        fault = self.faults.popleft() if self.faults else None
        match fault:
            case FrameFault.TRUNCATED:
                return picture[: len(picture) // 2], fault
            case FrameFault.GARBAGE:
                return bytes(byte ^ 0x55 for byte in picture), fault
            case FrameFault.EMPTY:
                return b"", fault
            case _:
                return picture, fault

    def inactive(self, control: FakeControl) -> bool:
        """Whether an automatic control governs it now."""
        governor = self.controls.get(control.governor)
        return governor is not None and governor.value != control.free
