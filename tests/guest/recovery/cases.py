"""What a fault and a case are. Pure; the table of them is in table.py.

Whatever is mended from outside (a person plugs the camera in again, the other process ends) is in
`mend`; a fault without it has to be cured by framebus alone.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from tests.guest.recovery.steps import Call, Step

FPS = 15
"""Frames a second of the usual camera: what daemon, web tier, viewers and the emulator carry in a
guest without KVM."""
SIZE = "320x240"
SLOW_CAMERA = "slow"
"""Of camera/model.py: one frame a second, whatever is asked for."""


class State(enum.Enum):
    """What the capture does when the fault comes."""

    IDLE = "idle"
    """Stopped by a command; it is started right after the fault."""
    OPENING = "opening"
    """Told to start, just now."""
    STREAMING = "streaming"
    STOPPING = "stopping"
    """Told to stop, just now; it is started once it has stopped."""


ALL = tuple(State)


class Stack(enum.Enum):
    """How daemon and web tier run."""

    UP = "up"
    """`framebus up`: a keeper for the daemon, and the web tier beside it."""
    KEPT = "kept"
    """The same, but viewers are at a web tier of their own, which outlives `up`."""
    ALONE = "alone"
    """The daemon without a keeper; whoever starts it again is the harness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row of the table."""

    name: str
    says: str
    """For people."""
    kind: str = ""
    """Of durations.py: the fault of which this is one duration."""
    inject: tuple[Step, ...]
    mend: tuple[Step, ...] = ()
    hold_s: float = 2.0
    """From the injection (or the start that meets it) to `mend`, seconds."""
    states: tuple[State, ...] = ALL
    kick: bool = False
    """While streaming it is met only by an open: `restart` is called after the injection."""
    stack: Stack = Stack.UP
    camera: str = "bulk"
    """Of camera/model.py."""
    fps: int = FPS
    fresh: bool = False
    """The daemon is renewed before it, and after it: resets have a budget, and what helped last is
    remembered."""
    long: bool = False
    """Takes minutes: run only when it is named. What the daemon costs meanwhile is measured."""
    limit_s: float = 45.0
    """Without ten frames in a row for so long after all is mended, it has not recovered."""
    own_s: float = 0.0
    """So much of the time measured is the fault's own: a request that nobody answers."""
    ends: int = 0
    """How many of the started daemons must end by themselves, with exit code 75."""

    @property
    def restarts(self) -> bool:
        """Whether it starts the capture itself, a stopped one too."""
        return any(isinstance(step, Call) and step.method == "restart" for step in self.inject)


@dataclass(frozen=True, slots=True)
class Case:
    """One fault in one state."""

    fault: Fault
    state: State

    @property
    def name(self) -> str:
        """How it is named on the command line and in results."""
        return f"{self.fault.name}@{self.state.value}"

    @property
    def group(self) -> tuple[str, str]:
        """Camera and stack: cases that have the same ones need not start everything anew."""
        return self.fault.camera, self.fault.stack.value

    def at(self, fps: int) -> Case:
        """Return it with the usual camera at another frame rate; the slow one keeps its own."""
        if self.fault.camera == SLOW_CAMERA:
            return self
        return replace(self, fault=replace(self.fault, fps=fps))
