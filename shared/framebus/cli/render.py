"""Control replies as text for people. Pure; `--json` is for programs.

A reply comes from a daemon that may be newer than this file: a key that is missing reads as a
dash, and a reply of another shape is printed as an outline, never refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framebus.cli.tables import amount, duration, outline, scalar, table


class _Fields:
    """A JSON object of which any part may be missing."""

    def __init__(self, value: object) -> None:
        self._value: Mapping[str, Any] = value if isinstance(value, Mapping) else {}

    def __bool__(self) -> bool:
        return bool(self._value)

    def at(self, key: str) -> _Fields:
        return _Fields(self._value.get(key))

    def text(self, key: str) -> str:
        return scalar(self._value.get(key))

    def number(self, key: str) -> int:
        value = self._value.get(key)
        return int(value) if isinstance(value, int | float) else 0

    def items(self) -> list[tuple[str, object]]:
        return list(self._value.items())


def status(result: object, now_utc_ns: int) -> str:
    """Return the status document as an aligned table; now is nanoseconds since 1970, UTC."""
    document = _Fields(result)

    def since(utc_ns: int) -> str:
        return duration((now_utc_ns - utc_ns) / 1e9) if utc_ns else "-"

    frames, ring, source = document.at("frames"), document.at("ring"), document.at("source")
    cause = document.at("cause")
    rows = [
        [
            "camera",
            f"{document.text('camera')} (pid {document.text('pid')}, framebus "
            f"{document.text('version')}, up {since(document.number('started_utc_ns'))})",
        ],
        [
            "state",
            f"{document.text('state')} for {since(document.number('since_utc_ns'))}",
        ],
    ]
    if cause:
        rows += [["cause", f"{cause.text('message')} [{cause.text('code')}]"]]
        rows += [["remedy", cause.text("remedy")]]
    retry_utc_ns = document.number("retry_utc_ns")
    if retry_utc_ns:
        left = duration((retry_utc_ns - now_utc_ns) / 1e9)
        rows += [["retry", f"in {left} (attempts so far: {document.text('attempts')})"]]
    recovery = document.at("recovery")
    if cause and (tried := recovery.text("rung")) != "-":
        rows += [["recovery", f"tried {tried}, next {recovery.text('next')}"]]
    rows += [
        ["source", f"{source.text('spec')} {_in_brackets(source.text('device'))}".rstrip()],
        ["requested", _size_and_rate(source.at("requested"))],
        ["granted", _granted(source.at("granted"))],
        [
            "frames",
            f"{frames.text('captured')} captured, {frames.text('published')} published, "
            f"{_rejected(frames.at('rejected'))}, {frames.text('missed')} missed",
        ],
        [
            "rate",
            f"{frames.text('fps')} fps; newest frame {since(frames.number('newest_utc_ns'))} old",
        ],
        [
            "ring",
            f"{amount(ring.number('size'))}, {ring.text('frames')} descriptors, largest frame "
            f"{amount(ring.number('largest'))}, epoch {document.text('epoch')}",
        ],
    ]
    return table(rows)


def _in_brackets(text: str) -> str:
    return "" if text == "-" else f"({text})"


def _size_and_rate(fields: _Fields) -> str:
    width, height, fps = fields.text("width"), fields.text("height"), fields.text("fps")
    size = "any size" if width == height == "-" else f"{width}x{height}"
    return f"{size}, {'any rate' if fps == '-' else f'{fps} fps'}"


def _granted(fields: _Fields) -> str:
    return f"{fields.text('fourcc')} {_size_and_rate(fields)}" if fields else "-"


def _rejected(fields: _Fields) -> str:
    counts = fields.items()
    total = sum(count for _, count in counts if isinstance(count, int))
    reasons = ", ".join(f"{reason} {count}" for reason, count in counts)
    return f"{total} rejected ({reasons})" if reasons else "0 rejected"


def formats(result: object) -> str:
    """Return the formats that a source offers: a line for each frame size."""
    offered = _list_of("formats", result)
    if offered is None:
        return outline(result)
    rows = [
        [
            format_.text("fourcc"),
            f"{size.text('width')}x{size.text('height')}",
            size.text("fps"),
            format_.text("description"),
        ]
        for format_, size in (
            (_Fields(item), _Fields(size))
            for item in offered
            for size in _list_of("sizes", item) or []
        )
    ]
    return table(rows, header=["FOURCC", "SIZE", "FPS", "DESCRIPTION"])


def controls(result: object) -> str:
    """Return the camera's controls: a line for each, with its range and what can be chosen."""
    found = _list_of("controls", result)
    if found is None:
        return outline(result)
    rows = []
    for control in map(_Fields, found):
        smallest, largest, step = (control.text(key) for key in ("min", "max", "step"))
        menu = control.at("menu").items()
        span = "-" if smallest == largest == "-" else f"{smallest} to {largest}"
        if step not in ("-", "1"):
            span += f" by {step}"
        choices = ", ".join(f"{number}={scalar(label)}" for number, label in menu)
        rows.append(
            [
                control.text("name"),
                control.text("value"),
                control.text("default"),
                choices or span,
                control.text("flags"),
            ]
        )
    return table(rows, header=["CONTROL", "VALUE", "DEFAULT", "RANGE", "FLAGS"])


def _list_of(key: str, value: object) -> list[object] | None:
    """Return the list under `key` of an object, None when that is not what it is."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else None
