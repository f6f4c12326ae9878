"""Reads JSON objects of which any part may be missing, or be something else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framebus.invocation.tables import scalar

_LARGEST = 1 << 63


class Fields:
    """A JSON object of which any part may be missing."""

    def __init__(self, value: object) -> None:
        self._value: Mapping[str, Any] = value if isinstance(value, Mapping) else {}

    def __bool__(self) -> bool:
        return bool(self._value)

    def at(self, key: str) -> Fields:
        """Return the object under `key`."""
        return Fields(self._value.get(key))

    def text(self, key: str) -> str:
        """Return the value under `key` in a few characters."""
        return scalar(self._value.get(key))

    def number(self, key: str) -> int:
        """Return the number under `key`, 0 where there is none."""
        return int(self.real(key))

    def real(self, key: str) -> float:
        """Return the number under `key` with its fraction, 0 where there is none that is likely."""
        value = self._value.get(key)
        return value if isinstance(value, int | float) and abs(value) < _LARGEST else 0

    def texts(self, key: str) -> list[str]:
        """Return the values in the list under `key`, each in a few characters."""
        return [scalar(item) for item in list_of(key, self._value) or []]

    def each(self, key: str) -> list[Fields]:
        """Return the objects in the list under `key`."""
        return [Fields(item) for item in list_of(key, self._value) or []]

    def items(self) -> list[tuple[str, object]]:
        """Return all keys and values."""
        return list(self._value.items())


def list_of(key: str, value: object) -> list[object] | None:
    """Return the list under `key` of an object, None when that is not what it is."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else None
