"""The benchmark's table, its record and the block that it writes into the documentation."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import record
from benchmarks.errors import BenchError
from benchmarks.figures import Row
from benchmarks.table import table
from benchmarks.tools import Size

ROW = Row(
    server="framebus",
    size="1280x720",
    viewers=200,
    frame_bytes=152_900,
    cpu_us=31.26,
    to_floor=1.034,
    to_framebus=None,
    core_percent=19.0,
    waited_percent=0.5,
    daemon_percent=1.7,
    client_percent=9.6,
    fps_min=29.5,
    fps_median=30.0,
    age_p50_ms=4.0,
    age_p99_ms=None,
    faults=0,
)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_all_lines_of_the_table_are_equally_long() -> None:
    lines = table([ROW]).splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1


def test_the_table_rounds_and_leaves_the_unknown_empty() -> None:
    header, _, body = table([ROW]).splitlines()
    shown = dict(zip(cells(header), cells(body), strict=True))
    assert shown["µs/frame"] == "31.3"
    assert shown["/floor"] == "1.03"
    assert shown["/framebus"] == ""
    assert shown["kB"] == "153"
    assert shown["age p99 ms"] == ""
    assert shown["in 20 ms %"] == ""
    assert "| 99.7 |" in " ".join(table([replace(ROW, soon_percent=99.66)]).split())


def test_the_span_of_a_ratio_is_shown_where_rounds_differ() -> None:
    spread = replace(ROW, floor_low=0.98, floor_high=1.12)
    once = replace(ROW, floor_low=1.034, floor_high=1.034)
    header, _, *bodies = table([spread, once]).splitlines()
    column = cells(header).index("from-to")
    assert [cells(body)[column] for body in bodies] == ["0.98-1.12", ""]


def test_figures_are_aligned_to_the_right_in_markdown_too() -> None:
    header, rule, _ = table([ROW]).splitlines()
    marks = dict(zip(cells(header), cells(rule), strict=True))
    assert marks["µs/frame"].endswith(":")
    assert not marks["server"].endswith(":")


def test_what_was_saved_can_be_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    started = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    record.save(path, caption="here", started=started, machine={}, rounds=[], rows=[ROW])
    assert record.load(path, Row) == ("here", [ROW])
    assert json.loads(path.read_text())["date"] == "2026-01-01T00:00:00+00:00"


def test_without_an_earlier_run_one_is_told_to_measure(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="measure first"):
        record.load(tmp_path / "bench.json", Row)


@pytest.mark.parametrize("text", ["[]", "{}", "no json", '{"caption": "", "rows": [{"x": 1}]}'])
def test_the_record_of_another_version_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(BenchError, match="measure again"):
        record.load(path, Row)


def marked(name: str, inside: str) -> str:
    return f"<!-- make bench writes {name} from here -->\n{inside}\n<!-- {name} to here -->\n"


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    text = f"before\n{marked('grid', 'old')}after\n"
    once = record.replace_block(text, "grid", "new")
    assert "old" not in once
    assert once.startswith("before\n")
    assert once.endswith("after\n")
    assert record.replace_block(once, "grid", "new") == once


def test_the_blocks_of_other_parts_are_left_as_they_are() -> None:
    text = marked("grid", "one") + marked("capture", "two") + marked("workers", "three")
    changed = record.replace_block(text, "capture", "new")
    assert changed.startswith(marked("grid", "one"))
    assert changed.endswith(marked("workers", "three"))
    assert "two" not in changed


@pytest.mark.parametrize("text", ["no marks here\n", marked("grid", "old"), "<!-- x to here -->\n"])
def test_a_document_without_marks_is_left_alone_with_an_error(text: str) -> None:
    with pytest.raises(BenchError, match="marks"):
        record.replace_block(text, "x", "new")


def test_the_documentation_has_a_place_for_each_part() -> None:
    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
    for name in ("grid", "few", "capture", "memory", "workers", "thousand"):
        assert f"new {name}" in record.replace_block(page, name, f"new {name}")


def test_readme_has_a_place_for_the_few_rows_that_it_shows() -> None:
    page = (Path(__file__).parents[2] / "README.md").read_text()
    assert "new few" in record.replace_block(page, "few", "new few")


@pytest.mark.parametrize("text", ["", "1280", "1280x", "x720", "0x720", "1280x720x3", "-1x5"])
def test_what_is_no_frame_size_is_refused(text: str) -> None:
    with pytest.raises(BenchError, match="1280x720"):
        Size.parse(text)


def test_a_frame_size_is_written_as_it_is_read() -> None:
    assert str(Size.parse("640x480")) == "640x480"
