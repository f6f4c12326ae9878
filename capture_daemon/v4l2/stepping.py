"""What to try when a camera does not grant its format, and how far down we are by now: pure.

A USB bus without bandwidth left says so at once (ENOSPC), and the next lower format is tried in the
same opening. A refusal (EIO) may be a passing weakness: only when the same format was refused
twice, the next opening begins one step lower. What was lowered stays lowered: a camera must not
be tormented with what it cannot do at every opening. A person who asks anew begins at the top.
"""

from __future__ import annotations

from collections.abc import Sequence

from capture_daemon.sources.base import Request, SourceError
from capture_daemon.v4l2.formats import Choice, OfferedFormat, OfferedSize, choose

NO_ROOM = "no-bandwidth"
_REFUSED = frozenset({"refused-format", "refused-stream"})
_REFUSALS = 2
MOST_STEPS = 8


def steps(offers: Sequence[OfferedFormat], request: Request, device: str) -> list[Choice]:
    """Return what to ask for, best first: the choice, lower rates, then smaller sizes.

    Raises SourceUnusable when no format can become a JPEG.
    """
    first = choose(offers, request, device)
    sizes = [size for offer in offers if offer.fourcc == first.fourcc for size in offer.sizes]
    same = [size for size in sizes if (size.width, size.height) == (first.width, first.height)]
    slower = sorted(
        {rate for size in same for rate in size.rates if first.rate and rate < first.rate},
        reverse=True,
    )
    smaller = sorted(
        {size for size in sizes if _area(size) < first.width * first.height},
        key=_area,
        reverse=True,
    )
    lower = [Choice(first.fourcc, first.width, first.height, rate) for rate in slower]
    for size in smaller:
        wanted = Request(width=size.width, height=size.height, fps=request.fps)
        lower.append(choose([OfferedFormat(first.fourcc, "", (size,))], wanted, device))
    return [first, *lower][: MOST_STEPS + 1]


class Steps:
    """Where one camera has got to, over its openings."""

    def __init__(self) -> None:
        self._down = 0
        self._refusals = 0
        self._first: Choice | None = None

    def left(self, choices: Sequence[Choice]) -> Sequence[Choice]:
        """Return those of `choices` (best first) that this opening may try, in order."""
        self._first = choices[0]
        self._down = min(self._down, len(choices) - 1)
        return choices[self._down :]

    def granted(self, tried: int) -> None:
        """The opening succeeded after `tried` choices that did not fit (from 0)."""
        self._down += tried
        self._refusals = 0

    def failed(self, error: SourceError) -> None:
        """The opening failed for good."""
        if error.code not in _REFUSED:
            return
        self._refusals += 1
        if self._refusals >= _REFUSALS:
            self._down += 1

    @property
    def note(self) -> str:
        """Say what was wanted, if less was taken; empty otherwise."""
        if not self._down or self._first is None:
            return ""
        wanted = f"{self._first.width}x{self._first.height}"
        if self._first.rate is not None:
            wanted += f" at {float(self._first.rate):g}/s"
        return (
            f"the camera or its bus did not grant {wanted}, so less was asked for; "
            "`framebus ctl restart` tries it again"
        )


def _area(size: OfferedSize) -> int:
    return size.width * size.height
