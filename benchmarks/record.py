"""Where results are kept: a JSON file a part, and a block between marks in a page."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from benchmarks.errors import BenchError
from benchmarks.figures import Measurement

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")


def save(
    path: Path,
    *,
    caption: str,
    started: datetime.datetime,
    machine: Mapping[str, object],
    rows: Sequence[DataclassInstance],
    rounds: Sequence[Sequence[Measurement]] = (),
) -> None:
    """Write what was measured, and `rounds` that it was summed up from."""
    document = {
        "caption": caption,
        "date": started.isoformat(timespec="seconds"),
        "machine": machine,
        "rows": [asdict(row) for row in rows],
        "measurements": [[asdict(each) for each in one] for one in rounds],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def load(path: Path, kind: type[R]) -> tuple[str, list[R]]:
    """Return caption and rows, each a `kind`, of a file that `save` wrote.

    Raises:
        BenchError: there is no such file, or another version wrote it.
    """
    try:
        document = json.loads(path.read_text())
        return document["caption"], [kind(**row) for row in document["rows"]]
    except FileNotFoundError:
        raise BenchError(f"there is no {path} yet: measure first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path} is not what this version writes: measure again") from error


def replace_block(text: str, name: str, block: str) -> str:
    """Return `text` with what stands between the two marks of `name` replaced by `block`.

    Raises:
        BenchError: a mark is missing.
    """
    first = f"<!-- make bench writes {name} from here -->\n"
    last = f"<!-- {name} to here -->\n"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise BenchError(
            f"docs/performance.md, or README, has lost its marks {first!r} and {last!r}"
        )
    return f"{before}{begin}\n{block.strip()}\n\n{end}{after}"
