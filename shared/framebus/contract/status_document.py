"""Reads a daemon's status document (docs/control.md) without believing that it is one. Pure.

Whoever shows it, counts with it or goes on from it gets a JSON object whose known parts have their
types, or are missing, and in which nothing can end a program: no depth, no endless or infinite
number, no half a character. Keys that are not known here stay: the daemon may be newer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

_DEPTH_MAX: Final = 8  # objects within objects; the document has four
_BITS_MAX: Final = 64
_DIGITS_MAX: Final = 21  # of so many bits, and a sign

_NUMBER: Final = (int, float)
_CAUSE: Final = {"code": str, "message": str, "remedy": str}
_SOURCE: Final = {
    "spec": str,
    "kind": str,
    "device": str,
    "requested": {"width": _NUMBER, "height": _NUMBER, "fps": _NUMBER},
    "granted": {"fourcc": str, "width": _NUMBER, "height": _NUMBER, "fps": _NUMBER},
    "note": str,
}
_FRAMES: Final = {
    "captured": _NUMBER,
    "published": _NUMBER,
    "rejected": {},
    "missed": _NUMBER,
    "fps": _NUMBER,
    "newest_utc_ns": _NUMBER,
}
_STATE: Final = {"state": str, "cause": _CAUSE, "source": _SOURCE, "frames": _FRAMES}
_DOCUMENT: Final = {
    **_STATE,
    "camera": str,
    "pid": _NUMBER,
    "version": str,
    "epoch": str,
    "started_utc_ns": _NUMBER,
    "since_utc_ns": _NUMBER,
    "incident": str,
    "attempts": _NUMBER,
    "retry_utc_ns": _NUMBER,
    "fallback": {**_STATE, "shown": bool, "shown_since_utc_ns": _NUMBER},
    "ring": {"path": str, "size": _NUMBER, "largest": _NUMBER},
    "control": {"answered": _NUMBER, "dropped": {}},
    "recovery": {"rung": str, "next": str, "tries": {}, "unavailable": list},
}
"""The type of each known key; null may stand in its place. An object lists its own known keys."""


def parse(text: bytes) -> dict[str, object]:
    """Return the document of a JSON text; empty for a text that is none."""
    try:
        document = _DECODER.decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return cleaned(document)


def cleaned(document: object) -> dict[str, object]:
    """Return what of a JSON value is a status document; empty for what is none."""
    return _typed(document, _DOCUMENT, 0) if isinstance(document, dict) else {}


def _typed(value: dict[str, object], types: Mapping[str, Any], depth: int) -> dict[str, object]:
    """Return an object without those of its known keys whose value is of another type."""
    kept: dict[str, object] = {}
    for key, each in value.items():
        wanted = types.get(key)
        if wanted is None:
            kept[_text(key)] = _plain(each, depth + 1)
        elif each is None:
            kept[key] = None
        elif isinstance(wanted, dict):
            if isinstance(each, dict):
                kept[key] = _typed(each, wanted, depth + 1)
        elif isinstance(each, wanted) and (wanted is bool or not isinstance(each, bool)):
            kept[key] = _plain(each, depth + 1)
    return kept


def _plain(value: object, depth: int) -> object:
    """Return a JSON value without what is nested too deeply, or is no text."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):  # True and False too
        return value if value.bit_length() <= _BITS_MAX else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict) and depth < _DEPTH_MAX:
        return {_text(key): _plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list) and depth < _DEPTH_MAX:
        return [_plain(each, depth + 1) for each in value]
    return None


def _text(text: str) -> str:
    """Return a text that every encoder takes: JSON can spell half of a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _integer(text: str) -> int | None:
    return int(text) if len(text) <= _DIGITS_MAX else None


# int() refuses thousands of digits, and the whole document with them.
_DECODER: Final = json.JSONDecoder(parse_int=_integer)
