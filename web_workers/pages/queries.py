"""What may stand in a query string, and what is wrong with it otherwise. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from framebus.errors import UsageError
from framebus.units import duration_s

from web_workers.responses.takeover import FrameTicket
from web_workers.wire.multipart import Style

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_LIMIT_MAX = 100
_FPS_MIN, _FPS_MAX = 0.01, 1000.0


def frame_ticket(camera: str, query: Mapping[str, str]) -> FrameTicket:
    """Return what a query asks of a camera's stream; raises UsageError.

    `fps`, and ustreamer's `extra_headers`, `advance_headers` and `dual_final_frames`. Unknown keys
    are left alone: players and caches add their own.
    """
    extra, advance = flag(query, "extra_headers"), flag(query, "advance_headers")
    # Headers that are sent before the picture exists cannot say anything more about it.
    style = Style.ADVANCE if advance else Style.EXTRA if extra else Style.PLAIN
    return FrameTicket(
        camera=camera,
        style=style,
        fps=fps(query),
        dual_final=flag(query, "dual_final_frames"),
    )


def flag(query: Mapping[str, str], key: str) -> bool:
    """Return a yes-or-no of the query, no when it is not there; raises UsageError."""
    text = query.get(key, "0").lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise UsageError(f"{key}={text[:40]!r} is neither yes nor no: use {key}=1 or leave it out")


def fps(query: Mapping[str, str]) -> float | None:
    """Return the frame rate asked for, None for the camera's own; raises UsageError."""
    text = query.get("fps")
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not _FPS_MIN <= value <= _FPS_MAX:
        raise UsageError(
            f"fps={text[:40]!r} is no frame rate: use a number from {_FPS_MIN:g} to {_FPS_MAX:g}"
        )
    return value


def limit(query: Mapping[str, str]) -> int:
    """Return how many of a list are wanted, 5 unless said; raises UsageError."""
    text = query.get("limit", "5")
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= _LIMIT_MAX:
        raise UsageError(f"limit={text[:40]!r} is no number from 1 to {_LIMIT_MAX}")
    return int(text)


def ago_s(query: Mapping[str, str]) -> float | None:
    """Return how many seconds back a snapshot is wanted from, None for now; raises UsageError."""
    text = query.get("ago")
    if text is None:
        return None
    try:
        return duration_s(text, zero=True)
    except UsageError:
        raise UsageError(
            f"ago={text[:40]!r} is no duration: use for example ago=2s or ago=500ms"
        ) from None
