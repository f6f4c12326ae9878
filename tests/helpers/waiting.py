"""Waiting for a condition, with a limit: what tests use in place of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], *, within_s: float = 30.0, what: str = "") -> T:
    """Return the first true value of `condition`, polled; fail after `within_s` seconds.

    The last look begins after them: on a machine that stood still meanwhile the one before it may
    tell of a time long ago.
    """
    deadline = time.monotonic() + within_s
    while True:
        late = time.monotonic() > deadline
        if value := condition():
            return value
        if late:
            raise AssertionError(f"not within {within_s} s: {what or condition}")
        time.sleep(0.005)


def until_it_moves(look: Callable[[], object], *, within_s: float = 30.0) -> None:
    """Wait until `look` has returned three different values; what is false is none of them."""
    seen: set[object] = set()

    def three() -> bool:
        if shown := look():
            seen.add(shown)
        return len(seen) >= 3

    until(three, within_s=within_s, what="the picture moves")
