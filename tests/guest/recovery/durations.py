"""Faults that last: each for as long as DURATIONS_S says, and then it is over. Pure.

However long one lasted and whatever was tried meanwhile, frames must be back soon after its end:
`python -m tests.guest.recovery --durations`. Nothing is given back between them: what a case spent
of a budget, the next one lacks.
"""

from __future__ import annotations

from dataclasses import replace

from tests.guest.recovery.cases import Case, Fault, State
from tests.guest.recovery.steps import Arm, Clear, EndRival, Hold, Plug, Rival, Unplug, Write

DURATIONS_S = (0.5, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
BACK_S = 6.0
"""Within so long after a fault's end ten frames are there, at the 99th percentile."""
LIMIT_S = 20.0
"""Without them for so long it has not recovered, however slow the machine."""
UNANSWERED_S = 5.0
"""A request that nobody answers is given up by the kernel after so long; and it may have been made
just before the fault's end."""


def _armed(name: str, says: str, *, kick: bool = False, own_s: float = 0.0) -> Fault:
    return Fault(name=name, says=says, inject=(Arm(name),), mend=(Clear(),), kick=kick, own_s=own_s)


KINDS = (
    _armed("commit-refused", "STALL on every commit", kick=True),
    _armed("commit-unanswered", "no commit is answered", kick=True, own_s=UNANSWERED_S),
    _armed("probe-refused", "STALL on every probe", kick=True),
    _armed("probe-unanswered", "no probe is answered", kick=True, own_s=UNANSWERED_S),
    _armed("silent", "no data"),
    _armed("wedged", "no data until it is configured anew"),
    _armed("urb-protocol", "-71 on every URB"),
    _armed("garbage", "nothing but garbage"),
    _armed("truncated", "every frame cut in half"),
    Fault(name="unplugged", says="unplugged", inject=(Unplug(),), mend=(Plug(),)),
    Fault(
        name="unbound",
        says="uvcvideo unbound from outside, then bound",
        inject=(Write("unbind"),),
        mend=(Write("bind"),),
    ),
    Fault(
        name="deauthorized",
        says="deauthorised from outside, then authorised",
        inject=(Write("authorized", "0"),),
        mend=(Write("authorized", "1"),),
    ),
    Fault(
        name="held",
        says="another process streams from it",
        inject=(Rival(Hold.STREAM),),
        mend=(EndRival(),),
        kick=True,
    ),
)


def lasting() -> list[Fault]:
    """Return each of them with each duration; `silent-for-2s`, for one."""
    return [
        replace(
            fault,
            name=f"{fault.name}-for-{seconds:g}s",
            kind=fault.name,
            hold_s=seconds,
            states=(State.STREAMING,),
            long=True,
            limit_s=LIMIT_S,
        )
        for fault in KINDS
        for seconds in DURATIONS_S
    ]


def cases(kinds: list[str], longest_s: float) -> list[Case]:
    """Return the cases of these kinds (none: of all) that last no longer, the shortest first.

    Raises ValueError for an unknown kind.
    """
    known = {fault.name for fault in KINDS}
    if unknown := set(kinds) - known:
        raise ValueError(f"no such fault: {', '.join(sorted(unknown))}; there are {sorted(known)}")
    found = [
        Case(fault, State.STREAMING)
        for fault in lasting()
        if fault.hold_s <= longest_s and (not kinds or fault.kind in kinds)
    ]
    return sorted(found, key=lambda case: case.fault.hold_s)
