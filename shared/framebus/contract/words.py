"""The words of the status document that are no causes: states, rungs, and why something is dropped.

docs/control.md explains them. Each is its word in JSON, in metrics and in logs.
"""

from __future__ import annotations

import enum
from typing import Final, Literal, get_args


class State(enum.StrEnum):
    """Where the capture is."""

    STOPPED = "stopped"
    """A person wants no capture."""
    OPENING = "opening"
    """The source is being opened, or is open and has not given its first valid frame yet."""
    STREAMING = "streaming"
    """Valid frames arrive."""
    STALLED = "stalled"
    """Open, but silent for too long; its stream is being restarted."""
    BACKOFF = "backoff"
    """It failed; the next rung of the ladder waits for its time, or is being climbed."""
    FAILED = "failed"
    """It failed in a way that a person must mend; tried again all the same."""
    LENT = "lent"
    """Another program has the device, by a person's leave, until a time."""
    IDLE = "idle"
    """Nobody wants frames: the source is closed until somebody does."""


class Rung(enum.StrEnum):
    """One recovery step, from the gentlest to the last."""

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
        return tuple(Rung).index(self) + 1


DEVICE_LEVEL: Final = frozenset(
    {Rung.BIND, Rung.REBIND, Rung.USB_RESET, Rung.REAUTHORIZE, Rung.PORT_POWER}
)
"""They act on the USB device, need the device closed, and need a permission. `reset` takes them."""


class CuredBy(enum.StrEnum):
    """What ended an incident, where it was not a rung of the ladder."""

    ITSELF = "itself"
    PERSON = "person"
    NOTHING = "nothing"
    """It ended without frames; so it is counted."""


Rejection = Literal[
    "flagged",
    "empty",
    "no-soi",
    "bad-header",
    "no-eoi",
    "stale",
    "too-large",
    "encode-failed",
    "unreadable",
    "off-air",
    "overtaken",
    "unwatched",
]
"""Why a frame that the source gave was not published."""
REJECTIONS: Final[tuple[Rejection, ...]] = get_args(Rejection)

EventName = Literal["state", "controls", "incident"]
"""What is told on the events socket."""
EVENTS: Final[tuple[EventName, ...]] = get_args(EventName)

Drop = Literal["malformed", "parts", "answers"]
"""Why something on a control socket was dropped."""
DROPS: Final[tuple[Drop, ...]] = get_args(Drop)
