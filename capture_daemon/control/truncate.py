"""Cuts a text to what it may take of a JSON document. Pure."""

from __future__ import annotations

import json


def truncate(text: str, most: int) -> str:
    """Return `text`, or as much of its beginning as takes at most `most` bytes of JSON."""
    if len(json.dumps(text)) <= most:
        return text
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(text[:middle], most) else (low, middle - 1)
    return text[:low] + "…"


def _fits(text: str, most: int) -> bool:
    return len(json.dumps(text + "…")) <= most
