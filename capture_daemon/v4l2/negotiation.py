"""What to try when a camera does not grant its format, and how far down we are by now: pure.

A USB bus without bandwidth left says so at once (ENOSPC), and the next lower format is tried in the
same opening. A refusal (EIO) may be a passing weakness of the camera, which then refuses all:
only when the same one was refused twice does an opening go on to a lower one (another at each
opening), and it is taken if it is granted a moment after the other was refused. What was lowered
stays lowered: a camera must not be tormented with what it cannot do at every opening. A person who
asks anew begins at the top.
"""

from __future__ import annotations

from collections.abc import Sequence

from capture_daemon.sources.base import Request, SourceError
from capture_daemon.v4l2.formats import Choice, OfferedFormat, choose

NO_ROOM = "no-bandwidth"
_REFUSED = frozenset({"refused-format", "refused-stream"})
_REFUSALS = 2
MOST_STEPS = 8


def candidates(offers: Sequence[OfferedFormat], request: Request, device: str) -> list[Choice]:
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
        {size for size in sizes if size.area < first.width * first.height},
        key=lambda size: size.area,
        reverse=True,
    )
    lower = [Choice(first.fourcc, first.width, first.height, rate) for rate in slower]
    for size in smaller:
        wanted = Request(width=size.width, height=size.height, fps=request.fps)
        lower.append(choose([OfferedFormat(first.fourcc, "", (size,))], wanted, device))
    return [first, *lower][: MOST_STEPS + 1]


class FormatNegotiation:
    """Where one camera has got to, over its openings."""

    def __init__(self) -> None:
        self._down = 0
        self._refusals = 0
        self._first: Choice | None = None
        self._tries: Sequence[int] = (0,)

    @property
    def goes_on_after(self) -> frozenset[str]:
        """With which error's code the next opening goes on to its next choice."""
        return frozenset({NO_ROOM, *(_REFUSED if self._refused_twice else ())})

    def left(self, choices: Sequence[Choice]) -> Sequence[Choice]:
        """Return those of `choices` (best first) that this opening may try, in order."""
        self._first = choices[0]
        last = len(choices) - 1
        self._down = min(self._down, last)
        if not self._refused_twice:
            self._tries = range(self._down, len(choices))
        else:
            lower = min(self._down + 1 + self._refusals - _REFUSALS, last)
            self._tries = (self._down, lower) if lower > self._down else (lower,)
        return [choices[index] for index in self._tries]

    def granted(self, tried: int) -> None:
        """The opening succeeded after `tried` choices that were not granted (from 0)."""
        self._down = self._tries[tried]
        self._refusals = 0

    def failed(self, error: SourceError) -> None:
        """The opening failed for good."""
        if error.code in _REFUSED:
            self._refusals += 1

    @property
    def _refused_twice(self) -> bool:
        return self._refusals >= _REFUSALS

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
