"""What a parameter of a control method may be, and what is said of a value that does not fit. Pure.

Values come as JSON had them: of any type and any length. Each check returns the value as handlers
get it. It raises ValueError, with a hint or without, or UsageError where it has better words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from framebus.errors import UsageError
from framebus.spelling import did_you_mean
from framebus.units import frame_rate, frame_size

Check = Callable[[object], object]
Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a method."""

    name: str
    says: str
    """What it is, as the end of a sentence: "a number from 1 to 100"."""
    check: Check
    unit: str = ""
    required: bool = False
    default: object = None
    """What handlers get where it is left out; with None they get nothing."""
    http: bool = False
    """Whether it may come over HTTP."""

    def checked(self, value: object) -> object:
        """Return a value as handlers get it. Raises UsageError."""
        try:
            return self.check(value)
        except ValueError as hint:
            raise UsageError(f"{self.name} is {self.says}{hint}") from None


def number(most: float) -> Check:
    """Return a check for a number over 0, up to `most`."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise ValueError
        return float(value)

    return check


def whole(least: int, most: int) -> Check:
    """Return a check for a whole number in a range."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError
        return value

    return check


def text(most: int | None = None) -> Check:
    """Return a check for a text that is not empty and has at most `most` characters."""

    def check(value: object) -> str:
        if not isinstance(value, str) or not value or (most is not None and len(value) > most):
            raise ValueError
        return value

    return check


def one_of(words: Iterable[Word]) -> Check:
    """Return a check for one of some words; what is near one is told."""
    known = {str(word): word for word in words}

    def check(value: object) -> Word:
        if not isinstance(value, str):
            raise ValueError
        if value not in known:
            raise ValueError(did_you_mean(value, known))
        return known[value]

    return check


def or_null(check: Check) -> Check:
    """Return a check for null, or what fits `check`."""
    return lambda value: None if value is None else check(value)


def size(value: object) -> tuple[int, int]:
    """Return (width, height) in pixels of a text such as "1280x720"."""
    if not isinstance(value, str):
        raise ValueError
    return frame_size(value)


def rate(value: object) -> float:
    """Return frames a second."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return frame_rate(value)
