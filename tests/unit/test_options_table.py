"""The table of options: an option is in it and where it is used, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from framebus.options import table
from framebus.options.option import Option, Scope
from framebus.options.table import MAX_VIEWERS, TABLE

HERE = Path(__file__).parents[2]
SIDES = {Scope.CAPTURE: "web_workers", Scope.WEB: "capture_daemon"}
"""Where an option of this scope has no business."""


def imports(path: Path) -> Iterator[str]:
    """Yield what a file has of the table."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == table.__name__:
            yield from (each.name for each in node.names)


READERS: dict[str, list[Path]] = {option.name: [] for option in TABLE}
"""The files that use an option, by its name."""
for folder in ("shared", "capture_daemon", "web_workers"):
    for path in (HERE / folder).rglob("*.py"):
        for constant in imports(path):
            READERS.setdefault(constant.lower(), []).append(path.relative_to(HERE))


def test_names_are_made_of_the_options_own_and_each_is_there_once() -> None:
    assert (MAX_VIEWERS.flag, MAX_VIEWERS.variable) == ("--max-viewers", "FRAMEBUS_MAX_VIEWERS")
    assert len({option.name for option in TABLE}) == len(TABLE)
    for option in TABLE:
        assert getattr(table, option.name.upper()) is option


def test_what_may_have_a_password_in_it_is_the_daemons_alone() -> None:
    assert [option.name for option in TABLE if option.secret] == ["source", "fallback_source"]
    assert {option.scope for option in TABLE if option.secret} == {Scope.CAPTURE}


@pytest.mark.parametrize("option", TABLE, ids=lambda option: option.name)
def test_every_option_is_used_and_on_its_own_side(option: Option[object]) -> None:
    assert READERS[option.name]
    assert not [path for path in READERS[option.name] if path.parts[0] == SIDES.get(option.scope)]


def test_an_option_is_in_the_table_and_where_it_is_used() -> None:
    assert [path.name for path in READERS["frozen_after"]] == ["observer.py"]
    assert [path.name for path in READERS["max_viewers"]] == ["viewer_limits.py"]
    several = {name for name, paths in READERS.items() if len(paths) > 1} - {"table"}
    # Those by which commands, cameras and addresses are told apart, or which are read twice.
    twice = {"certfile", "keyfile", "pure_python"}
    assert several == {"name", "config", "cameras", "source", "bind"} | twice
