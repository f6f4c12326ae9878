"""Text layout for people: aligned columns, durations, sizes. Pure; knows nothing of cameras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framebus import printable

_GAP = "  "


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str] = ()) -> str:
    """Return rows as lines of left-aligned columns; a header gets a line of its own."""
    lines = [*([list(header)] if header else []), *(list(row) for row in rows)]
    count = max((len(line) for line in lines), default=0)
    widths = [
        max((len(line[i]) for line in lines if i < len(line)), default=0) for i in range(count)
    ]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip()
        for line in lines
    )


def records(items: Sequence[Mapping[str, object]]) -> str:
    """Return objects as a table: a column for each key, in order of first appearance."""
    columns = list(dict.fromkeys(key for item in items for key in item))
    rows = [[scalar(item.get(column)) for column in columns] for item in items]
    return table(
        rows, header=[printable.line(column).replace("_", " ").upper() for column in columns]
    )


def outline(value: object) -> str:
    """Return any JSON value as lines for people: objects as key and value, nested ones dotted."""
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return records(value)
    if isinstance(value, Mapping):
        return table([[name, scalar(leaf)] for name, leaf in _leaves("", value)])
    return scalar(value)


def _leaves(prefix: str, value: Mapping[str, object]) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            found += _leaves(f"{prefix}{key}.", item)
        else:
            found.append((printable.line(f"{prefix}{key}"), item))
    return found


def scalar(value: object) -> str:
    """Return one JSON value in a few characters; null, empty text and empty lists are a dash."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "" or value == [] or value == {}:
        return "-"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(scalar(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{scalar(key)}={scalar(item)}" for key, item in value.items())
    return printable.line(str(value))


def duration(seconds: float) -> str:
    """Return a length of time in its one or two largest units: "0.03 s", "5 s", "3 min 20 s"."""
    if seconds < 1:
        return f"{max(0.0, seconds):.2f} s"
    whole = round(seconds)
    for size, unit, smaller_size, smaller in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            count, rest = divmod(whole, size)
            part = rest // smaller_size
            return f"{count} {unit} {part} {smaller}" if part else f"{count} {unit}"
    return f"{whole} s"


def amount(count_bytes: int) -> str:
    """Return a number of bytes in binary units: "512 B", "32.0 MiB"."""
    size = float(count_bytes)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
