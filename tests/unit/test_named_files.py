"""Files and modules that docstrings and docs name are there: what was renamed is named anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "capture_daemon", "web_workers")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
THEIRS = frozenset(
    {"app/base.py", "arbiter.py", "config.py", "workers/base.py", "workers/gthread.py"}  # gunicorn
    | {"flask.py", "json.py"}  # what somebody may have in a directory
    | {"_faults.py"}  # the end of several names
)
FILE = re.compile(r"(?:\w[\w.-]*/)*\w+\.py\b")
LISTED = re.compile(r"^    ([a-z_]+)  +\w", re.MULTILINE)


@pytest.fixture(scope="module")
def present() -> list[str]:
    folders = ("shared", "capture_daemon", "web_workers", "tests", "benchmarks", "examples")
    return [
        f"/{path.relative_to(ROOT)}" for each in folders for path in (ROOT / each).rglob("*.py")
    ]


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_that_is_named_is_there(path: Path, present: list[str]) -> None:
    named = set(FILE.findall(path.read_text())) - THEIRS

    assert [name for name in named if not any(file.endswith(f"/{name}") for file in present)] == []


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path.name == "__init__.py" and path.stat().st_size],
    ids=lambda path: str(path.parent.relative_to(ROOT)),
)
def test_a_package_lists_modules_that_it_has(path: Path) -> None:
    for module in LISTED.findall(path.read_text()):
        assert (path.parent / f"{module}.py").exists() or (path.parent / module).is_dir(), module
