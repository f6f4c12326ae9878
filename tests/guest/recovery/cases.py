"""The faults, as data: how each is injected, what mends it, in which states it makes sense. Pure.

A step says what is done, stage.py does it. Whatever is mended from outside (a person plugs the
camera in again, the other process ends) is in `mend`; a fault without it has to be cured by
framebus alone.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

FOREVER = -1
FPS = 15
"""Frames a second of the usual camera: what daemon, web tier, viewers and the emulator carry in a
guest without KVM."""
SIZE = "320x240"


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
    """Send control calls, all at once; nobody waits for their answers."""

    method: str
    params: tuple[tuple[str, object], ...] = ()
    times: int = 1


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row of the table."""

    name: str
    says: str
    """For people."""
    inject: tuple[Step, ...]
    mend: tuple[Step, ...] = ()
    hold_s: float = 2.0
    """From the injection (or the start that meets it) to `mend`, seconds."""
    states: tuple[State, ...] = ALL
    kick: bool = False
    """While streaming it is met only by an open: `restart` is called after the injection."""
    stack: Stack = Stack.UP
    camera: str = "bulk"
    fps: int = FPS
    limit_s: float = 45.0
    """Without ten frames in a row for so long after all is mended, it has not recovered."""
    ends: int = 0
    """How many of the started daemons must end by themselves, with exit code 75."""


def _picture(fault: str, says: str) -> Fault:
    return Fault(name=fault, says=f"five frames {says}", inject=(Arm(fault, 5),))


def _stall(*, starts: int, states: tuple[State, ...]) -> Fault:
    return Fault(
        name="stall",
        says="silent, until its stream is started again",
        inject=(Arm("mute-run", starts),),
        states=states,
    )


_PLUGGED = "unplugged for 2 s, plugged "
_CAMERA_FAULTS = (
    Fault(
        name="replug-same",
        says=f"{_PLUGGED}into the same port",
        inject=(Unplug(),),
        mend=(Plug(),),
    ),
    Fault(
        name="replug-other",
        says=f"{_PLUGGED}into another port",
        inject=(Unplug(),),
        mend=(Plug(other_port=True),),
    ),
    Fault(
        name="replug-renumbered",
        says=f"{_PLUGGED}in again under another number (its old node is held open)",
        inject=(KeepNodeOpen(), Unplug()),
        mend=(Plug(),),
    ),
    _stall(starts=1, states=(State.STREAMING,)),
    # The start that is due, or under way, is the first; the second one cures it.
    _stall(starts=2, states=(State.IDLE, State.OPENING, State.STOPPING)),
    Fault(
        name="stall-until-reset",
        says="silent, until it is reset",
        inject=(Arm("mute-reset"),),
        limit_s=90,
    ),
    Fault(name="urb-1", says="-71 on one URB", inject=(Arm("urb-protocol", 1),)),
    Fault(name="urb-5", says="-71 on five URBs", inject=(Arm("urb-protocol", 5),)),
    Fault(
        name="probe-stall",
        says="STALL on probe for 2 s",
        inject=(Arm("probe-refused"),),
        mend=(Clear(),),
        kick=True,
    ),
    Fault(
        name="commit-stall",
        says="STALL on one commit",
        inject=(Arm("commit-refused", 1),),
        kick=True,
    ),
    Fault(
        name="control-stall",
        says="STALL on a control",
        inject=(Arm("control-refused", 1), Call("set_controls", (("brightness", 7),))),
        states=(State.OPENING, State.STREAMING),
    ),
    Fault(
        name="control-hang",
        says="a control request hangs 5 s",
        inject=(Arm("control-unanswered", 1), Call("set_controls", (("brightness", 7),))),
        states=(State.OPENING, State.STREAMING),
    ),
    Fault(
        name="commit-hang",
        says="a commit hangs 5 s",
        inject=(Arm("commit-unanswered", 1),),
        kick=True,
    ),
    _picture("error-bit", "with the error flag"),
    _picture("truncated", "cut in half"),
    _picture("no-end", "without EOI"),
    _picture("oversized", "larger than negotiated"),
    Fault(
        name="only-garbage",
        says="nothing but garbage for 3 s",
        inject=(Arm("garbage"),),
        mend=(Clear(),),
        hold_s=3.0,
    ),
)


def _held(name: str, says: str, rival: Rival) -> Fault:
    own_end = rival.for_s is not None
    return Fault(
        name=name,
        says=f"held by another process: {says}",
        inject=(rival,),
        mend=(EndRival(wait=own_end),),
        hold_s=0.0 if own_end else 3.0,
        kick=True,
    )


_HELD = (
    _held("held-stream", "descriptor and stream, 3 s", Rival(Hold.STREAM)),
    _held("held-mapping", "a mapping only, 3 s", Rival(Hold.MAPPING)),
    _held("held-5s", "dies after 5 s", Rival(Hold.STREAM, for_s=5.0)),
    _held("held-dead-leader", "a dead leader with a live thread, 3 s", Rival(Hold.DEAD_LEADER)),
)
_OUTSIDE = (
    Fault(
        name="unbound",
        says="uvcvideo unbound from outside, bound again after 2 s",
        inject=(Write("unbind"),),
        mend=(Write("bind"),),
    ),
    Fault(
        name="deauthorized",
        says="deauthorised from outside, authorised again after 2 s",
        inject=(Write("authorized", "0"),),
        mend=(Write("authorized", "1"),),
    ),
    Fault(
        name="restart-50",
        says="`restart` called 50 times at once",
        inject=(Call("restart", times=50),),
    ),
)
_PROCESSES = (
    Fault(
        name="kill-kept",
        says="daemon SIGKILLed, with a keeper",
        inject=(Kill("daemon"),),
        limit_s=60,
    ),
    Fault(
        name="kill-kept-slow",
        says="daemon SIGKILLed, with a keeper, camera at 1 frame a second",
        inject=(Kill("daemon"),),
        states=(State.STREAMING,),
        camera="slow",
        fps=1,
        limit_s=90,
    ),
    Fault(
        name="kill-kept-unplugged",
        says="the same, and unplugged before the next daemon is there, plugged in after 2 s",
        inject=(Kill("daemon"), Unplug()),
        mend=(Plug(),),
        states=(State.STREAMING,),
        limit_s=60,
    ),
    Fault(
        name="kill-kept-gone",
        says="the same, plugged in after 20 s, when the next daemon has seen it gone",
        inject=(Kill("daemon"), Unplug()),
        mend=(Plug(),),
        hold_s=20.0,
        states=(State.STREAMING,),
        limit_s=60,
    ),
    Fault(
        name="kill-keeper",
        says="keeper and daemon SIGKILLed, the keeper started again",
        inject=(Kill("keeper"), Kill("daemon"), StartKeeper()),
        states=(State.STREAMING,),
        stack=Stack.KEPT,
        limit_s=90,
    ),
    Fault(
        name="kill-alone",
        says="daemon SIGKILLed, no keeper, started again at once",
        inject=(Kill("daemon"), StartDaemons()),
        states=(State.STREAMING,),
        stack=Stack.ALONE,
        limit_s=60,
    ),
    Fault(
        name="three-daemons",
        says="daemon SIGKILLed, no keeper, three started at once",
        inject=(Kill("daemon"), StartDaemons(3)),
        states=(State.STREAMING,),
        stack=Stack.ALONE,
        limit_s=90,
        ends=2,
    ),
    Fault(
        name="two-more-daemons",
        says="two more daemons started while one captures",
        inject=(StartDaemons(2),),
        states=(State.STREAMING,),
        stack=Stack.ALONE,
        limit_s=60,
        ends=2,
    ),
)

FAULTS: tuple[Fault, ...] = (*_CAMERA_FAULTS, *_HELD, *_OUTSIDE, *_PROCESSES)


@dataclass(frozen=True, slots=True)
class Case:
    """One fault in one state."""

    fault: Fault
    state: State

    @property
    def name(self) -> str:
        """How it is named on the command line and in results."""
        return f"{self.fault.name}@{self.state.value}"


def cases(only: Iterable[str] = ()) -> list[Case]:
    """Return the cases that these names mean (a fault, or fault@state), all of them for none.

    They are sorted so that those that need the same camera and processes come together. Raises
    ValueError for a name that means nothing.
    """
    everything = [Case(fault, state) for fault in FAULTS for state in fault.states]
    everything.sort(key=lambda case: (case.fault.camera, case.fault.stack.value))
    wanted = set(only)
    known = {case.name for case in everything} | {fault.name for fault in FAULTS}
    if unknown := wanted - known:
        raise ValueError(f"no such case: {', '.join(sorted(unknown))}; there are {sorted(known)}")
    return [
        case
        for case in everything
        if not wanted or case.name in wanted or case.fault.name in wanted
    ]
