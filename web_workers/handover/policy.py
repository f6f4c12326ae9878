"""Who takes how many viewers, and who gives some away. Pure.

Everybody decides for himself by the same numbers, which change while he decides: being one or two
off does no harm, and is put right by the next one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

WAIT_FOR_YOUNGER_S = 1.0
"""How long a worker that is to end serves on while those who take its place are being started."""
FAR = 8
"""Viewers above the mean that are none too many."""


def to_take(own: int, others: Sequence[int], waiting: int, *, long: bool) -> int:
    """How many of the viewers that wait a worker takes.

    It has `own`, and the other workers, those included that are being started, have `others`: it
    takes its share and leaves the others theirs. Once that has taken `long`, it takes all.
    """
    if long:
        return waiting
    share = -(-(own + sum(others) + waiting) // (len(others) + 1))
    return min(waiting, max(0, share - own))


def to_give(own: int, others: Sequence[int]) -> int:
    """How many viewers a worker gives away: all above the mean, but only if that is worth it.

    `others` are those who can take some now. A quarter above the mean, and `FAR`, is not worth it:
    so workers that are about even leave each other in peace, and nobody who was just given some
    gives them back.
    """
    mean = (own + sum(others)) / (len(others) + 1)
    if own <= mean + max(FAR, mean / 4):
        return 0
    return own - -(-(own + sum(others)) // (len(others) + 1))


def may_leave(
    waited_s: float,
    own_age: int,
    newest_age: int,
    serving: Collection[int],
    booting: Collection[int],
) -> bool:
    """Whether a worker that was told to end `waited_s` seconds ago gives its viewers away now.

    Ages count workers in the order of their start: `newest_age` is that of the last one that was
    started, `serving` and `booting` those of the workers that are there and go on. While younger
    ones are on their way it serves on, so that its viewers need not wait for them.
    """
    if waited_s >= WAIT_FOR_YOUNGER_S or newest_age <= own_age:
        return True
    # One that was started and is not there yet has not come far enough to be seen.
    return newest_age in serving and not any(age > own_age for age in booting)
