"""The rungs of the recovery ladder, and what can be said of one. Pure; imports nothing of ours."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Rung(enum.Enum):
    """One recovery step, from the gentlest to the last. The value is its name everywhere."""

    WAIT_FOR_HOLDER = "wait-for-holder"
    """Wait until whoever has the device ends or lets go of it."""
    RESTART_STREAM = "restart-stream"
    """Stop and start the stream on the open descriptor."""
    REOPEN = "reopen"
    """Close everything, wait, and open again by the stable name."""
    END_HOLDER = "end-holder"
    """End an earlier daemon of our own that still has the device."""
    BIND = "bind"
    """Bind the driver uvcvideo to a camera that has none: asks the camera, and resets nothing."""
    REBIND = "rebind"
    """Unbind the driver uvcvideo from the camera, and bind it again."""
    USB_RESET = "usb-reset"
    """Reset the USB device."""
    REAUTHORIZE = "reauthorize"
    """Deauthorise the USB device, and authorise it again after a second."""
    PORT_POWER = "port-power"
    """Switch the power of the USB port off and on."""
    GIVE_UP = "give-up"
    """Leave the camera alone for a while."""

    @property
    def number(self) -> int:
        """Its place on the ladder, from 1."""
        return _ORDER.index(self) + 1


_ORDER = tuple(Rung)

DEVICE_LEVEL = frozenset(
    {Rung.BIND, Rung.REBIND, Rung.USB_RESET, Rung.REAUTHORIZE, Rung.PORT_POWER}
)
"""They act on the USB device, need the device closed, and need a permission."""
RESETS = DEVICE_LEVEL - {Rung.BIND, Rung.REBIND}
"""Those that make the device itself begin anew."""
NEED_CLOSED_DEVICE = DEVICE_LEVEL | {Rung.WAIT_FOR_HOLDER, Rung.END_HOLDER}
"""The capture thread carries them out while nothing is open; the others are its ordinary work."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A rung that cannot be used now, why, and what would make it usable."""

    rung: Rung
    reason: str
    remedy: str = ""


class Result(enum.Enum):
    """What came of carrying out a rung. Whether it cured the camera only frames can tell."""

    DONE = "done"
    NOTHING = "nothing"
    """There was nothing to do, or it was interrupted or took too long."""
    UNAVAILABLE = "unavailable"
    """It could not be carried out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one rung; `note` says what was done, or why not."""

    result: Result
    note: str = ""
    remedy: str = ""
