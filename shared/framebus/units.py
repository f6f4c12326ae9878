"""Reads what people write for sizes, rates and times: "1280x720", "64M", "2.5". Pure.

Patterns are texts here and in options/: whoever starts compiles none that is not asked for.
"""

from __future__ import annotations

import math
import re

from framebus.errors import UsageError

USB_PORT = r"[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}"
"""What the kernel calls a USB port: "1-1.2"."""
_FRAME_SIZE = r"(\d{1,5})[xX](\d{1,5})"
_BYTE_COUNT = r"(\d{1,15})\s*([kmg]?)(?:i?b)?"
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}
_SIDE_MAX = 16384
_FPS_MAX = 1000.0
_DAY_S = 86400


def frame_size(text: str) -> tuple[int, int]:
    """Return (width, height) in pixels of a text such as "1280x720". Raises UsageError."""
    found = re.fullmatch(_FRAME_SIZE, text.strip(), re.ASCII)
    if not found:
        raise UsageError(f"{text!r} is no frame size: write WIDTHxHEIGHT, for instance 1280x720")
    width, height = int(found[1]), int(found[2])
    if not (1 <= width <= _SIDE_MAX and 1 <= height <= _SIDE_MAX):
        raise UsageError(f"{text!r} is no frame size: each side is 1 to {_SIDE_MAX} pixels")
    return width, height


def frame_rate(value: str | float) -> float:
    """Return frames a second: over 0, at most 1000. Raises UsageError."""
    rate = _number(value)
    if not 0 < rate <= _FPS_MAX:
        raise UsageError(
            f"{value!r} is no frame rate: write frames a second, over 0 and at most {_FPS_MAX:g}"
        )
    return rate


def seconds(value: str | float, *, zero: bool = True) -> float:
    """Return a length of time of at most a day, 0 only with `zero`. Raises UsageError."""
    length = _number(value)
    if not 0 <= length <= _DAY_S or not (length or zero):
        least = "0" if zero else "more than 0"
        raise UsageError(f"{value!r} is no number of seconds from {least} to {_DAY_S}, as in 2.5")
    return length


def _number(value: str | float) -> float:
    """Return the number that a text is, and nan, which is in no range, for what is none."""
    try:
        return float(value)
    except (ValueError, OverflowError):  # JSON knows whole numbers of any length
        return math.nan


def byte_count(text: str) -> int:
    """Return the bytes of a text such as "64M" (powers of 1024) or "1000000". Raises UsageError."""
    found = re.fullmatch(_BYTE_COUNT, text.strip(), re.ASCII | re.IGNORECASE)
    if not found:
        raise UsageError(f"{text!r} is no size in bytes: write a number and K, M or G, as in 64M")
    return int(found[1]) * int(1024 ** _POWERS[found[2].lower()])


def byte_count_text(count: int) -> str:
    """Return `count` bytes as people write it, and `byte_count` reads it: "64M"."""
    for unit, power in (("G", 3), ("M", 2), ("K", 1)):
        if count and count % 1024**power == 0:
            return f"{count // 1024**power}{unit}"
    return str(count)


_DURATION = r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)?"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def duration_s(text: str, *, zero: bool = False) -> float:
    """Return the seconds that a text such as "90s", "500ms" or "2" means; `zero`: 0 is one too.

    Raises UsageError.
    """
    found = re.fullmatch(_DURATION, text, re.ASCII)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not found or not (seconds or zero):
        raise UsageError(f"{text!r} is no time: write it as in 90s, 5m or 1h")
    return seconds
