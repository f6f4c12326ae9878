"""Every cause that the daemon can name is in the documentation: programs go by its code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PARTS = ("capturing", "lifecycle", "ownership", "sources", "v4l2")
WITHIN = frozenset({"interrupted", "not-open", "other-format", "other-plan"})
"""Between threads, and of what a predecessor left, which is opened afresh: they are no cause."""


def codes(text: str) -> Iterator[str]:
    """Yield the codes that a module makes causes and rows of errors of."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        place = {"Cause": 0, "_row": 2}.get(
            node.func.id, 0 if node.func.id.startswith("Source") else None
        )
        if place is None or len(node.args) <= place:
            continue
        code = node.args[place]
        if isinstance(code, ast.Constant) and re.fullmatch(r"[a-z][a-z-]+", str(code.value)):
            yield str(code.value)


def all_codes() -> set[str]:
    found: set[str] = set()
    for part in PARTS:
        for module in (REPOSITORY / "capture_daemon" / part).rglob("*.py"):
            found |= set(codes(module.read_text()))
    return found - WITHIN


@pytest.mark.parametrize("code", sorted(all_codes()))
def test_a_cause_is_documented(code: str) -> None:
    pages = ("control.md", "network-cameras.md")
    assert any(f"`{code}`" in (REPOSITORY / "docs" / page).read_text() for page in pages)


def test_the_causes_are_found() -> None:
    assert {"stopped", "device-gone", "camera-away", "no-ffmpeg"} <= all_codes()
