"""What can be done to camera, processes and driver in a case, as data. Pure; stage.py does it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

FOREVER = -1


@dataclass(frozen=True, slots=True)
class Arm:
    """Arm a fault of the emulated camera for so many occasions."""

    fault: str
    count: int = FOREVER


@dataclass(frozen=True, slots=True)
class Clear:
    """Clear all faults of the emulated camera."""


@dataclass(frozen=True, slots=True)
class Unplug:
    """Pull the camera out."""


@dataclass(frozen=True, slots=True)
class Plug:
    """Plug the camera in again, into the same port or another; done when its node is there."""

    other_port: bool = False


@dataclass(frozen=True, slots=True)
class KeepNodeOpen:
    """Somebody opens the node and does nothing with it; let go after the case."""


class Hold(enum.Enum):
    """How another process has the camera."""

    STREAM = "stream"
    """Descriptor and stream."""
    MAPPING = "mapping"
    """The stream, by a mapping alone: the descriptor is closed."""
    DEAD_LEADER = "dead-leader"
    """Descriptor and stream in a thread whose process's first thread has ended."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Another process takes the camera as soon as it can, for so long if `for_s` is given."""

    hold: Hold
    for_s: float | None = None


@dataclass(frozen=True, slots=True)
class EndRival:
    """Kill the rival, or wait until it ends by itself."""

    wait: bool = False


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL a process of ours."""

    whom: str  # "daemon" or "keeper"


@dataclass(frozen=True, slots=True)
class StartDaemons:
    """Start so many capture daemons of this camera at once."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class StartKeeper:
    """Start `framebus up` again, once nothing of the killed one is left."""


@dataclass(frozen=True, slots=True)
class Call:
    """Send control calls, all at once; nobody waits for their answers, unless `until_taken`."""

    method: str
    params: tuple[tuple[str, object], ...] = ()
    times: int = 1
    until_taken: bool = False
    """Call again and again until it is not refused: a camera that is being opened has no controls
    yet."""


@dataclass(frozen=True, slots=True)
class Write:
    """Write to a file of the camera's USB device in sysfs, or of its driver."""

    file: str  # "unbind", "bind", or a file of the device
    text: str = ""  # empty: the name of the camera's first interface


Step = (
    Arm
    | Clear
    | Unplug
    | Plug
    | KeepNodeOpen
    | Rival
    | EndRival
    | Kill
    | StartDaemons
    | StartKeeper
    | Call
    | Write
)
