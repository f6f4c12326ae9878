"""Where results are kept: a JSON file, and the block between two marks in docs/performance.md."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.errors import BenchError
from benchmarks.figures import Measurement, Row

_BEGIN = "<!-- make bench writes from here -->\n"
_END = "<!-- to here -->\n"


def save(
    path: Path,
    *,
    caption: str,
    started: datetime.datetime,
    machine: Mapping[str, object],
    rounds: Sequence[Sequence[Measurement]],
    rows: Sequence[Row],
) -> None:
    """Write everything that was measured, and what it was summed up to."""
    document = {
        "caption": caption,
        "date": started.isoformat(timespec="seconds"),
        "machine": machine,
        "rows": [asdict(row) for row in rows],
        "measurements": [[asdict(each) for each in one] for one in rounds],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def load(path: Path) -> tuple[str, list[Row]]:
    """Return caption and rows of a file that `save` wrote.

    Raises:
        BenchError: there is no such file.
    """
    try:
        document = json.loads(path.read_text())
    except FileNotFoundError:
        raise BenchError(f"there is no {path} yet: measure first") from None
    return document["caption"], [Row(**row) for row in document["rows"]]


def replace_block(text: str, block: str) -> str:
    """Return `text` with what stands between the two marks replaced by `block`.

    Raises:
        BenchError: a mark is missing.
    """
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise BenchError(f"docs/performance.md has lost its marks {_BEGIN!r} and {_END!r}")
    return f"{before}{begin}\n{block.strip()}\n\n{end}{after}"
