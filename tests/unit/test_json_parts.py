"""Parts of JSON from elsewhere: one that is missing, or something else, is empty."""

from __future__ import annotations

import pytest
from framebus.json_parts import list_at, object_at, objects_at

STRANGE = [None, 7, "text", [], ["key"], {}, {"key": None}, {"key": 7}, {"key": "text"}]


@pytest.mark.parametrize("value", STRANGE)
def test_what_is_no_part_is_an_empty_one(value: object) -> None:
    assert (object_at(value, "key"), list_at(value, "key"), objects_at(value, "key")) == (
        {},
        [],
        [],
    )


def test_an_object_is_no_list_and_a_list_is_no_object() -> None:
    assert (object_at({"key": [1]}, "key"), list_at({"key": {"a": 1}}, "key")) == ({}, [])


def test_of_a_list_those_are_taken_that_are_objects() -> None:
    value: object = {"key": [{"a": 1}, None, "text", [], {}]}

    assert list_at(value, "key") == [{"a": 1}, None, "text", [], {}]
    assert objects_at(value, "key") == [{"a": 1}, {}]


def test_an_object_is_found_by_its_key() -> None:
    assert object_at({"key": {"a": 1}}, "key") == {"a": 1}
