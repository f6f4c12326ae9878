"""What a parameter of a control method may be, and what is said of a value that does not fit. Pure.

Values come as JSON had them: of any type and any length. Each check returns the value as handlers
get it. It raises ValueError, with a hint or without, or UsageError where it has better words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from framebus.errors import UsageError
from framebus.spelling import did_you_mean

Check = Callable[[object], object]


class Parameter(NamedTuple):  # made in a tenth of a dataclass's time, when a daemon starts
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


def of(
    *kinds: type,
    fits: Callable[[Any], bool] | None = None,
    read: Callable[[Any], object] = lambda value: value,
) -> Check:
    """Return a check for values of these types that fit; they are read by `read`."""

    def check(value: object) -> object:
        typed = isinstance(value, kinds) and not isinstance(value, bool)
        if not typed or not (fits is None or fits(value)):
            raise ValueError
        return read(value)

    return check


def text(most: int) -> Check:
    """Return a check for a text that is not empty and has at most `most` characters."""
    return of(str, fits=lambda value: 0 < len(value) <= most)


def one_of(words: Iterable[str]) -> Check:
    """Return a check for one of some words; what is near one is told."""
    known = {str(word): word for word in words}

    def check(value: str) -> str:
        if value not in known:
            raise ValueError(did_you_mean(value, known))
        return known[value]

    return of(str, read=check)


def or_null(check: Check) -> Check:
    """Return a check for null, or what fits `check`."""
    return lambda value: None if value is None else check(value)
