"""Cuts a text to what it may take of a JSON document. Pure."""

from __future__ import annotations

import bisect
import json

_WIDEST = 12  # bytes of JSON that a character may take


def truncate(text: str, most: int) -> str:
    """Return `text`, or as much of its beginning as takes at most `most` bytes of JSON."""
    if _WIDEST * len(text) + 2 <= most or len(json.dumps(text)) <= most:
        return text
    fitting = bisect.bisect_right(
        range(most), most, key=lambda length: len(json.dumps(text[:length] + "…"))
    )
    return text[: max(0, fitting - 1)] + "…"
