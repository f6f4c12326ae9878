"""What can be said of a rung of the recovery ladder (framebus.contract.words.Rung). Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from framebus.contract.words import DEVICE_LEVEL, Rung

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
