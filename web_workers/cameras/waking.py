"""A camera that was off because nobody watched, and is being opened for somebody who does."""

from __future__ import annotations

import time

from framebus.contract.causes import Cause
from framebus.demand import DemandLease
from framebus.names import CameraNames

from web_workers.cameras.observe import Observation, observe

PATIENCE_NS = 5_000_000_000
"""How long its first frame is waited for before anybody is told why there is none."""
_LOOK_S = 0.02
_WAKING = frozenset({"idle", "closing", "opening"})


def is_waking(cause: Cause) -> bool:
    """Tell whether a camera that somebody has woken is only not there yet."""
    return cause.code in _WAKING


def awake(names: CameraNames, seen: Observation, lease: DemandLease) -> Observation:
    """Want a camera's frames; return what is seen of it once there are some, or none will come.

    Blocks while it wakes, for up to `PATIENCE_NS`.
    """
    lease.renew_told(seen.status)
    until_ns = time.monotonic_ns() + PATIENCE_NS
    while (
        lease.matters
        and not seen.fresh
        and seen.cause is not None
        and is_waking(seen.cause)
        and time.monotonic_ns() < until_ns
    ):
        time.sleep(_LOOK_S)
        seen = observe(names, now_ns=time.monotonic_ns())
        lease.renew_told(seen.status)
    return seen
