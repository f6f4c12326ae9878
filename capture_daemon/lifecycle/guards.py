"""What must hold, beyond the state, for something to be an event of the table. Pure predicates.

table.py says what an event leads to; here is when a command, a report or the time is one at all.
Times are CLOCK_MONOTONIC nanoseconds.
"""

from __future__ import annotations

from framebus.contract.words import DEVICE_LEVEL, Rung, State

from capture_daemon.lifecycle.table import OPEN_STATES, WAITING_STATES

BLOCKED_S = 2.0
"""A source that has not returned for this long is named as not answering."""
HOPELESS_S = 10.0
"""A source that has not returned for this long is given up: no rung can be tried either. The
longest wait in a driver that is alive is 5 s, a control transfer."""
_UNWANTED = frozenset({State.STOPPED, State.LENT, State.IDLE})
"""Where nobody wants frames of ours."""


def must_wait(retry_ns: int | None, again_ns: int, now_ns: int) -> bool:
    """Tell whether a retry that a person wants now has to wait until `again_ns`: the source was
    opened a moment ago, and reopening a camera over and over can make it drop off its bus.
    """
    return retry_ns is not None and now_ns < again_ns


def was_just_opened(state: State, again_ns: int, now_ns: int) -> bool:
    """Tell whether a restart that comes now is the same as the opening before it."""
    return state in OPEN_STATES and now_ns < again_ns


def may_reset(state: State) -> bool:
    """Tell whether a person may have a rung: not while nobody wants frames."""
    return state not in _UNWANTED


def ends_wait(state: State, under_way: Rung | None) -> bool:
    """Tell whether a device that appears is news: not what our own rung has brought back."""
    return not (state in WAITING_STATES and under_way in DEVICE_LEVEL)


def may_rest(state: State, *, settled: bool) -> bool:
    """Tell whether a camera may rest: only one that is well. One that is away is got back first."""
    return state is State.STREAMING and settled


def is_hopeless(state: State, blocked_s: float) -> bool:
    """Tell whether a source that does not return is to be given up: frames are wanted, and lack."""
    lack = state is not State.STREAMING and state not in _UNWANTED
    return lack and blocked_s > HOPELESS_S


def is_not_answering(state: State, blocked_s: float) -> bool:
    """Tell whether a source that does not return is why there are no frames, or is not let go."""
    return state is not State.STREAMING and blocked_s > BLOCKED_S


def is_frozen(state: State, kind: str, since_ns: int, limit_s: float, now_ns: int) -> bool:
    """Tell whether a camera's picture has stayed the same for `limit_s` seconds; 0: never mind.

    `since_ns` is when it came for the first time, 0 before the first.
    """
    watched = state is State.STREAMING and kind == "v4l2" and since_ns and limit_s
    return bool(watched) and now_ns - since_ns >= limit_s * 1e9
