"""Parts of JSON that another program sent: each may be missing, or be something else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def object_at(value: object, key: str) -> Mapping[str, Any]:
    """Return the object under `key` of an object; empty where either is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def list_at(value: object, key: str) -> list[Any]:
    """Return the list under `key` of an object; empty where either is none."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def objects_at(value: object, key: str) -> list[Mapping[str, Any]]:
    """Return the objects in the list under `key` of an object; others in it are left out."""
    return [each for each in list_at(value, key) if isinstance(each, Mapping)]
