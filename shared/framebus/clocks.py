"""From CLOCK_MONOTONIC, in which frames are timed, to the time of day."""

from __future__ import annotations

import time

_NARROW_NS = 20_000
_TRIES = 4


def utc_offset_ns() -> int:
    """Return what to add to a CLOCK_MONOTONIC time to get nanoseconds since 1970 (UTC).

    To be asked anew each time: the time of day may be set. The two clocks cannot be read at once,
    and a process that is preempted between them would be wrong by as long as it slept: so the
    narrowest of a few readings counts.
    """
    best_ns, offset_ns = 1 << 62, 0
    for _ in range(_TRIES):
        before_ns = time.monotonic_ns()
        utc_ns = time.time_ns()
        after_ns = time.monotonic_ns()
        if after_ns - before_ns < best_ns:
            best_ns = after_ns - before_ns
            offset_ns = utc_ns - (before_ns + after_ns) // 2
        if best_ns <= _NARROW_NS:
            break
    return offset_ns
