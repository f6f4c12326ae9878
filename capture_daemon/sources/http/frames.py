"""From a picture and its headers to what the capture thread takes: its number and time.

Also what is no frame: the pictures that framebus and ustreamer send in place of their camera's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from capture_daemon.sources.base import Captured
from capture_daemon.sources.http.multipart.part import Part

_MOST_LOST = 1 << 32
_OLDEST_S = 2.0
"""A timestamp of the server's that is older, or not past, is of another clock than ours."""
_PLACEHOLDER = "x-placeholder"
_FALLBACK = "x-fallback"


def is_of_framebus(headers: Mapping[str, str]) -> bool:
    """Tell whether a part that stands for an absent camera comes from another framebus."""
    return _PLACEHOLDER in headers or _FALLBACK in headers


def why_no_frame(headers: Mapping[str, str]) -> str | None:
    """Return why a part is none of the server's camera; None if it is one.

    To pass it on as a picture would make an absent camera look like a live one.
    """
    if code := headers.get(_PLACEHOLDER):
        return "".join(letter for letter in code[:40] if letter.isprintable())
    if headers.get(_FALLBACK, "false").lower() == "true":
        return "its fallback is shown"
    if headers.get("x-ustreamer-online", "true").lower() == "false":
        return "no signal"
    return None


class FrameStamper:
    """Numbers and dates the pictures of one open source."""

    def __init__(self) -> None:
        self._sequence = 0
        self._server_sequence: int | None = None
        self._captured_ns = 0

    def lost(self, count: int) -> None:
        """Take note of pictures that were due and never came."""
        self._sequence += count

    def captured(self, part: Part) -> Captured:
        """Return the picture as the capture thread takes it."""
        now_ns = time.monotonic_ns()
        taken_ns = capture_time_ns(part.headers, now_ns, time.time_ns())
        self._captured_ns = max(self._captured_ns, taken_ns)
        said = part.headers.get("x-sequence", "")
        server_sequence = int(said[:18]) if said.isascii() and said.isdigit() else None
        self._sequence += _advance(self._server_sequence, server_sequence)
        self._server_sequence = server_sequence
        return Captured(part.body, self._captured_ns, self._sequence)


def _advance(before: int | None, now: int | None) -> int:
    """Return how far the server's own count went on; 1 where it has none or began anew.

    What no stream can have lost is no count: added up, it would not fit into the ring's 64 bits.
    """
    if before is None or now is None or not before < now <= before + _MOST_LOST:
        return 1
    return now - before


def capture_time_ns(headers: Mapping[str, str], now_ns: int, now_utc_ns: int) -> int:
    """Return when a part was captured, CLOCK_MONOTONIC nanoseconds.

    X-Timestamp is seconds, UTC, with some servers, and of a clock of their own with others (time
    since boot, or wrong altogether). It is believed if it lies within the last 2 s; else the part
    was captured when it arrived.
    """
    try:
        age_s = now_utc_ns / 1e9 - float(headers.get("x-timestamp", "nan"))
    except ValueError:
        return now_ns
    return now_ns - int(age_s * 1e9) if 0 <= age_s <= _OLDEST_S else now_ns
