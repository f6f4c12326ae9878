"""Every word of the JSON contract is on the page that explains it to people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints, is_typeddict

import pytest
from framebus.contract.documents import IncidentDocument, StatusDocument
from framebus.contract.methods import METHODS, Method
from framebus.contract.parameters import Parameter
from framebus.contract.words import DROPS, EVENTS, REJECTIONS, CuredBy, Rung, State

DOCS = Path(__file__).parents[2] / "docs"
CONTROL = (DOCS / "control.md").read_text()


def section(title: str) -> str:
    """Return the section of docs/control.md whose heading has `title` in it, as a word."""
    (found,) = re.findall(
        rf"^## (?:[^\n]*\W)?{title}(?:\W.*?)??\n(.*?)(?=^## |\Z)", CONTROL, re.M | re.S
    )
    return str(found)


def row(method: Method) -> str:
    """Return the method's row in the page's table."""
    takes = ", ".join(map(parameter, method.takes)) or (
        "the camera's" if method.takes_controls else ""
    )
    over_http = ", ".join(f"`{each.name}`" for each in method.takes if each.http) or "yes"
    return (
        f"| `{method.name}` | {takes} | {'query' if method.query else 'command'} "
        f"| {over_http if method.http else 'no'} |"
    )


def parameter(each: Parameter) -> str:
    notes = [each.unit] * bool(each.unit) + ["required"] * each.required
    return f"`{each.name}`" + (f" ({', '.join(notes)})" if notes else "")


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_method_has_its_row_and_its_section_with_every_parameter(method: Method) -> None:
    assert row(method) in section("Methods")
    assert all(f"`{each.name}`" in section(method.name) for each in method.takes)


@pytest.mark.parametrize("word", [*State, *Rung, *REJECTIONS, *DROPS])
def test_a_word_of_the_status_document_is_explained(word: str) -> None:
    assert f"`{word}`" in section("status")


@pytest.mark.parametrize("word", CuredBy)
def test_what_ends_an_incident_is_explained(word: CuredBy) -> None:
    assert f"`{word}`" in section("incidents")


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_explained(event: str) -> None:
    assert f'{{"event": "{event}"' in section("Events")


def keys(document: Any) -> Iterator[str]:
    """Yield every key of a document and of those within it."""
    for key, hint in get_type_hints(document).items():
        yield key
        for within in (hint, *get_args(hint)):
            if is_typeddict(within):
                yield from keys(within)


@pytest.mark.parametrize(
    ("document", "title"), [(StatusDocument, "status"), (IncidentDocument, "incidents")]
)
def test_every_key_of_a_document_is_shown(document: type, title: str) -> None:
    shown = re.findall(r'"(\w+)":|`(\w+)`', section(title))
    assert {*keys(document)} <= {word for pair in shown for word in pair}
