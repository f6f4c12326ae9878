"""What one case measured, as a line of JSON, and the figures over many. Pure.

Times are seconds, on the guest's clock.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

END_CASE = "end"
"""Stands for the planned end of all processes in a guest: what is left of them."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One case, once."""

    case: str
    kernel: str
    """As tests/guest/cache.py names it."""
    fps: int = 0
    """Frames a second that were asked for."""
    problems: list[str] = field(default_factory=list)
    """What is not as it must be; empty: recovered without a hand, and nothing left over."""
    detected_s: float | None = None
    """From the injection to a status that names a cause; None: no frame loss was reported."""
    first_s: float | None = None
    """To the first frame of the row, from the injection or, if later, from when what mends it
    from outside was done."""
    ten_s: float | None = None
    """To its tenth."""
    rung: str = ""
    """The last that was tried, or what cured it; empty if nothing was."""
    rung_derived: bool = False
    """Derived from the states, because the daemon tells no rung."""
    states: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    lost: int = 0
    """Numbers of the driver's that are missing."""
    rejected: dict[str, int] = field(default_factory=dict)
    disconnected: int = 0
    """Viewers."""
    holders: list[str] = field(default_factory=list)
    """Commands of the holders that the daemon found."""
    kernel_lines: int = 0
    """Lines of the kernel's log that the daemon attached."""
    left: list[str] = field(default_factory=list)
    """Leftovers; see leftovers.py."""
    notes: list[str] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)
    """Of a failure: status, incidents, the log's end."""
    took_s: float = 0.0
    prelude_s: float = 0.0
    """What it took before, until frames flowed through what the case needs."""
    release: str = ""
    """The kernel's own name for itself."""
    utc: str = ""
    revision: str = ""
    """The commit that was measured."""

    @property
    def ok(self) -> bool:
        """Whether it recovered without a hand, and nothing was left over."""
        return not self.problems

    def line(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def parse(cls, line: str) -> Result:
        """Read a line; keys that are not known are passed over. Raises ValueError."""
        known = {one.name for one in fields(cls)}
        document = json.loads(line)
        if not isinstance(document, dict) or not {"case", "kernel"} <= document.keys():
            raise ValueError(f"no result: {line[:80]}")
        return cls(**{key: value for key, value in document.items() if key in known})


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all are not above (nearest rank).

    Raises ValueError when there are none.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True)
class Figures:
    """One case, over all its runs."""

    case: str
    runs: int
    ok: int
    detected_s: tuple[float, float] | None
    """Median and 99th percentile; None if no run had one."""
    first_s: tuple[float, float] | None
    ten_s: tuple[float, float] | None
    rungs: tuple[tuple[str, int], ...]
    """With how many runs, most first; "" is none."""
    derived: bool
    lost: int
    """Over all runs."""
    disconnected: int
    holders: int
    """Runs in which any was found."""
    kernel_lines: int
    """Runs in which any was found."""
    left: tuple[str, ...]
    problems: tuple[tuple[str, int], ...]


def figures(results: Iterable[Result]) -> list[Figures]:
    """Return one line of figures a case, in the order in which cases first appear."""
    by_case: dict[str, list[Result]] = {}
    for result in results:
        by_case.setdefault(result.case, []).append(result)
    return [_figures(case, runs) for case, runs in by_case.items()]


def _figures(case: str, runs: list[Result]) -> Figures:
    return Figures(
        case=case,
        runs=len(runs),
        ok=sum(run.ok for run in runs),
        detected_s=_spread(run.detected_s for run in runs),
        first_s=_spread(run.first_s for run in runs),
        ten_s=_spread(run.ten_s for run in runs),
        rungs=tuple(Counter(run.rung for run in runs).most_common()),
        derived=any(run.rung_derived for run in runs),
        lost=sum(run.lost for run in runs),
        disconnected=sum(run.disconnected for run in runs),
        holders=sum(bool(run.holders) for run in runs),
        kernel_lines=sum(bool(run.kernel_lines) for run in runs),
        left=tuple(sorted({what for run in runs for what in run.left})),
        problems=tuple(Counter(text for run in runs for text in run.problems).most_common()),
    )


def _spread(values: Iterable[float | None]) -> tuple[float, float] | None:
    known = [value for value in values if value is not None]
    return (quantile(known, 0.5), quantile(known, 0.99)) if known else None
