"""Where results are kept: a JSON file, and the block between two marks in docs/performance.md."""

from __future__ import annotations

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
    date: str,
    machine: Mapping[str, object],
    options: Mapping[str, object],
    rounds: Sequence[Sequence[Measurement]],
    rows: Sequence[Row],
) -> None:
    """Write everything that was measured, and what it was summed up to."""
    document = {
        "date": date,
        "machine": machine,
        "options": options,
        "rows": [asdict(row) for row in rows],
        "measurements": [[asdict(each) for each in one] for one in rounds],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def load_rows(path: Path) -> list[Row]:
    """Return the rows of a file that `save` wrote."""
    return [Row(**row) for row in json.loads(path.read_text())["rows"]]


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
