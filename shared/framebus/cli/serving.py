"""What the values of the web tier's own options may be. Pure.

The web tier reads them, and `framebus up` looks at them before it opens a camera for a web tier
that would not start.
"""

from __future__ import annotations

from collections.abc import Mapping

from framebus.errors import UsageError
from framebus.options.file import pick
from framebus.units import byte_count

AUTO = "auto"
WORKERS_MAX = 64
_VIEWERS_MAX = 1_000_000


def check(options: Mapping[str, object], values: Mapping[str, object]) -> None:
    """Raise UsageError, naming the option, for what flags and a file's values must not say."""
    for name, parse in (
        ("workers", workers),
        ("max_viewers", viewers),
        ("max_viewers_per_address", viewers),
        ("max_rate", rate),
        ("max_rate_per_address", rate),
        ("io_uring", io_uring),
    ):
        value = pick(options.get(name), values.get(name), None)
        if value is not None:
            parse(f"--{name.replace('_', '-')}", str(value))


def workers(option: str, text: str) -> int:
    """Return a number of processes; raises UsageError."""
    if not 1 <= _number(text) <= WORKERS_MAX:
        raise UsageError(f"{option} {text!r}: use a number from 1 to {WORKERS_MAX}")
    return int(text)


def viewers(option: str, text: str) -> int:
    """Return a number of viewers; raises UsageError."""
    if not 0 <= _number(text) <= _VIEWERS_MAX:
        raise UsageError(
            f"{option} {text!r}: use a number of viewers up to {_VIEWERS_MAX}, or 0 for no limit"
        )
    return int(text)


def rate(option: str, text: str) -> int:
    """Return bytes a second; raises UsageError."""
    try:
        return byte_count(text)
    except UsageError:
        raise UsageError(
            f"{option} {text!r}: use bytes a second, as in 100M, or 0 for no limit"
        ) from None


def io_uring(option: str, text: str) -> bool:
    """Return whether to use it; raises UsageError."""
    if text not in (AUTO, "off"):
        raise UsageError(f"{option} {text!r}: use {AUTO} or off")
    return text == AUTO


def _number(text: str) -> int:
    """Return the number that a text is, -1 for what is none, or a longer one than anybody means."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
