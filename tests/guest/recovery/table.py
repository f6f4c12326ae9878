"""The faults, a row each: how it is injected, what mends it, in which states it makes sense. Pure.

Adding a row is all that a new fault of the kinds in steps.py takes.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.guest.recovery.cases import SLOW_CAMERA, Case, Fault, Stack, State
from tests.guest.recovery.durations import lasting
from tests.guest.recovery.steps import (
    Arm,
    Call,
    Clear,
    EndRival,
    Hold,
    KeepNodeOpen,
    Kill,
    Plug,
    Rival,
    StartDaemons,
    StartKeeper,
    Unplug,
    Write,
)


def _picture(fault: str, says: str) -> Fault:
    return Fault(name=fault, says=f"five frames {says}", inject=(Arm(fault, 5),))


def _stall(*, starts: int, states: tuple[State, ...]) -> Fault:
    return Fault(
        name="stall",
        says="silent, until its stream is started again",
        inject=(Arm("mute-run", starts),),
        states=states,
    )


_SET_A_CONTROL = Call("set_controls", (("brightness", 7),), until_taken=True)
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
        inject=(Arm("wedged"),),
        fresh=True,
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
        inject=(Arm("control-refused", 1), _SET_A_CONTROL),
        states=(State.OPENING, State.STREAMING),
    ),
    Fault(
        name="control-hang",
        says="a control request hangs 5 s",
        inject=(Arm("control-unanswered", 1), _SET_A_CONTROL),
        states=(State.OPENING, State.STREAMING),
    ),
    Fault(
        name="commit-hang",
        says="a commit hangs 5 s (they are in the times)",
        inject=(Arm("commit-unanswered", 1),),
        kick=True,
        own_s=5.0,
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
_DEAD = Fault(
    name="dead",
    says="silent for 10 minutes, whatever is tried",
    inject=(Arm("silent"),),
    mend=(Clear(),),
    hold_s=600.0,
    states=(State.STREAMING,),
    fresh=True,
    long=True,
    limit_s=400,
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
        says="uvcvideo unbound from outside",
        inject=(Write("unbind"),),
        fresh=True,
        limit_s=90,
    ),
    Fault(
        name="unbound-2s",
        says="uvcvideo unbound from outside, bound again after 2 s",
        inject=(Write("unbind"),),
        mend=(Write("bind"),),
    ),
    Fault(
        name="deauthorized",
        says="deauthorised from outside",
        inject=(Write("authorized", "0"),),
        fresh=True,
        limit_s=90,
    ),
    Fault(
        name="deauthorized-2s",
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
        camera=SLOW_CAMERA,
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

FAULTS: tuple[Fault, ...] = (*_CAMERA_FAULTS, _DEAD, *_HELD, *_OUTSIDE, *_PROCESSES, *lasting())


def everything() -> list[Case]:
    """Return all cases, those that need the same camera and processes together."""
    found = [Case(fault, state) for fault in FAULTS for state in fault.states]
    return sorted(found, key=lambda case: case.group)


def cases(only: Iterable[str] = ()) -> list[Case]:
    """Return the cases that these names mean (a fault, or fault@state); none: all but long ones.

    Raises ValueError for a name that means nothing.
    """
    wanted = set(only)
    known = {name for case in everything() for name in (case.name, case.fault.name)}
    if unknown := wanted - known:
        raise ValueError(f"no such case: {', '.join(sorted(unknown))}; there are {sorted(known)}")
    return [
        case
        for case in everything()
        if (not wanted and not case.fault.long) or wanted.intersection((case.name, case.fault.name))
    ]
