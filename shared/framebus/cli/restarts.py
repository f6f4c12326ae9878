"""When a child of `framebus up` that ended is started again: a pure decision, no clock, no process.

The table spaces *starts*, so the time that a child lived counts towards its delay: one that is
killed every few seconds comes back at once each time, one that dies at its start slows down.
"""

from __future__ import annotations

import os
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

START_SPACING_S = (0.0, 0.25, 0.5, *(1.0,) * 9, 2.0, 5.0, 10.0)
"""Seconds between one start and the next, by how many children in a row died young.

A dozen quick ones first: whoever pulls and kills things by hand should not have to wait.
"""

HEALTHY_S = 10.0
"""A child that lived this long was healthy: its death is the first of a new row."""

FINAL_AT_START: Final[Mapping[int, str]] = {
    os.EX_USAGE: "wrong usage",
    os.EX_UNAVAILABLE: "something that it needs is not there",
    os.EX_CANTCREAT: "no room",
    os.EX_TEMPFAIL: "held by another process",
    os.EX_NOPERM: "no permission",
}
"""Exit codes that, at a child's first start, need a person and not a second try."""


class Row(namedtuple("Row", ("starts", "died_young"), defaults=(1, 0))):
    """How often a child was started, and how many in a row died young."""

    __slots__ = ()


class Again(namedtuple("Again", ("delay_s", "row"))):
    """Start it again after `delay_s` seconds; `row` is its history from then on."""

    __slots__ = ()


class GiveUp(namedtuple("GiveUp", ("reason",))):
    """End everything with the child's exit code."""

    __slots__ = ()


def decide(
    row: Row, *, exit_code: int, lived_s: float, retried: frozenset[int] = frozenset()
) -> Again | GiveUp:
    """Return what to do about a child that ended by itself.

    `exit_code` is as subprocess reports it: negative for a signal. `lived_s` is in seconds. Those
    of `retried` are no reason to end everything, though they are in FINAL_AT_START.
    """
    young = lived_s < HEALTHY_S
    if row.starts == 1 and young and exit_code in FINAL_AT_START.keys() - retried:
        return GiveUp(FINAL_AT_START[exit_code])
    earlier = row.died_young if young else 0
    spacing_s = START_SPACING_S[min(earlier, len(START_SPACING_S) - 1)]
    return Again(
        delay_s=max(0.0, spacing_s - lived_s),
        row=Row(starts=row.starts + 1, died_young=earlier + 1),
    )
