"""What holds for all of tests/, and that documents name folders and files that there are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
FOLDERS = sorted({path.parent.name for path in TESTS.glob("*/*.py")})
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
SOURCES = ("shared", "capture_daemon", "web_workers", "tests", "benchmarks", "deploy", "examples")


def modules(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_of_tests_is_in_the_page(folder: str) -> None:
    page = (ROOT / "docs/testing.md").read_text()
    assert re.search(rf"^\| .*\btests/{folder}\b.* \|", page, re.MULTILINE)


def test_what_documents_name_is_there() -> None:
    path = re.compile(rf"(?<![\w/.~$-])(?:{'|'.join(SOURCES)})/[\w./@-]*\w")
    named = {(page.name, name) for page in PAGES for name in path.findall(page.read_text())}
    assert len(named) > 50
    gone = [each for each in sorted(named) if not (ROOT / each[1]).exists()]
    assert gone == []


def test_no_test_is_imported_by_another_file() -> None:
    imported = [
        (name, node.module)
        for name, module in modules(TESTS)
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and ".test_" in (node.module or "")
    ]
    assert imported == []


def test_no_unit_test_sleeps() -> None:
    asleep = [
        (name, node.lineno)
        for name, module in modules(TESTS / "unit")
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sleep", "time.sleep")
    ]
    assert asleep == []


def test_files_of_tests_and_benchmarks_stay_small() -> None:
    files = [path for folder in (TESTS, ROOT / "benchmarks") for path in folder.rglob("*.py")]
    long = [path.name for path in files if path.read_text().count("\n") > 300]
    assert files
    assert long == []
