"""Reads a daemon's status document (docs/control.md) without believing that it is one. Pure.

Whoever shows it, counts with it or goes on from it gets a JSON object whose known parts have their
types, or are missing, and in which nothing can end a program: no depth, no endless or infinite
number, no half a character. Keys that are not known here stay: the daemon may be newer.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints, is_typeddict

from framebus.contract.documents import StatusDocument

_DEPTH_MAX: Final = 8  # objects within objects; the document has four
_BITS_MAX: Final = 64
_DIGITS_MAX: Final = 21  # of so many bits, and a sign


def _types(document: type) -> dict[str, Any]:
    """Return the type of each key of a TypedDict; an object lists its own known keys."""
    return {key: _type(hint) for key, hint in get_type_hints(document).items()}


def _type(hint: Any) -> Any:
    """Return what values of an annotation are; null may stand in the place of any."""
    if get_origin(hint) is UnionType:
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    if is_typeddict(hint):
        return _types(hint)
    kind = get_origin(hint) or hint
    if kind is dict:
        return {}
    if kind in (int, float):
        return (int, float)
    return kind if kind in (bool, list) else str  # words are texts: the daemon may know others


@functools.cache  # a daemon that starts builds its own, and may never read one
def _status_types() -> dict[str, Any]:
    return _types(StatusDocument)


def parse(text: bytes) -> dict[str, object]:
    """Return the document of a JSON text; empty for a text that is none."""
    try:
        document = _DECODER.decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return cleaned(document)


def cleaned(document: object) -> dict[str, object]:
    """Return what of a JSON value is a status document; empty for what is none."""
    return _typed(document, _status_types(), 0) if isinstance(document, dict) else {}


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
