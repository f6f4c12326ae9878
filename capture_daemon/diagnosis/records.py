"""What a diagnosis is about and shows: a device, its holders, lines of the kernel's log. Values.

Apart from what finds them, so that a starting daemon need not import that.
"""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass

SEE_ALL = "sudo framebus doctor"
"""The command that sees every process."""


@dataclass(frozen=True, slots=True)
class DiagnosedDevice:
    """One video device, as it was when it was last there."""

    node: str
    """Its path under /dev; empty for one that is still open, but gone."""
    rdev: int
    port: str
    """The USB port as the kernel's log names it ("1-1.2"); empty where none is known."""


@dataclass(frozen=True, slots=True)
class Holder:
    """One process that has the device."""

    pid: int
    command: str
    user: str
    since_utc_ns: int
    """When the process started; when it opened the device, the kernel does not record."""
    unit: str
    """Its systemd unit or container; empty if it has none."""
    how: tuple[str, ...]
    """"descriptor", "mapping"; and "dead-leader" if its leading thread has ended."""
    ours: bool
    """A capture daemon of framebus, by its lock file or its command line: a hint, no proof."""

    def document(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return {**asdict(self), "how": list(self.how)}


@dataclass(frozen=True, slots=True)
class Holders:
    """What one look at /proc showed."""

    found: tuple[Holder, ...]
    unseen: int
    """Processes that could not be looked into for lack of permission."""
    blind: tuple[str, ...] = ()
    """Why there may be processes that did not even show, one sentence each."""

    def notes(self) -> list[str]:
        """Return what could not be seen, one sentence each."""
        if not self.unseen:
            return list(self.blind)
        count = "1 process" if self.unseen == 1 else f"{self.unseen} processes"
        return [*self.blind, f"{count} could not be looked into: `{SEE_ALL}` sees all"]


class Sign(enum.Enum):
    """What a line points at."""

    CABLE = "cable"
    """The cable, a plug, a hub, or interference: bits get lost."""
    POWER = "power"
    BANDWIDTH = "bandwidth"
    CAMERA = "camera"
    """The camera itself does not answer, or says no."""
    HOST = "host"
    """The USB controller of this computer."""
    GONE = "gone"
    """It left the bus, pulled out by hand or not."""
    NORMAL = "normal"
    """Nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log that concerns the camera."""

    utc_ns: int
    text: str
    meaning: str
    """In plain words; empty for a warning that the table does not know."""
    sign: Sign | None = None

    def document(self) -> dict[str, object]:
        """Return it as an incident has it."""
        return {"utc_ns": self.utc_ns, "text": self.text, "meaning": self.meaning}


@dataclass(frozen=True, slots=True)
class KernelLog:
    """What the log said."""

    lines: tuple[Line, ...]
    """Oldest first; of too many, the newest."""
    notes: tuple[str, ...] = ()
    """What could not be seen, one sentence each."""
