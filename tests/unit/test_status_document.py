"""A status document that is anything but one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from framebus.contract import status_document
from hypothesis import given
from hypothesis import strategies as st

WHOLE: dict[str, Any] = {
    "camera": "front",
    "pid": 4711,
    "state": "streaming",
    "cause": None,
    "source": {"spec": "test", "granted": {"fourcc": "MJPG", "width": 640, "fps": 29.97}},
    "frames": {"captured": 2**40, "rejected": {"empty": 3}, "fps": 30},
    "fallback": {"shown": True, "source": {"kind": "test"}},
    "recovery": {"rung": None, "tries": {"reopen": 1}, "unavailable": [{"rung": "rebind"}]},
    "something_new": {"of": ["a", "later", "version"]},
}


def parsed(text: str) -> dict[str, object]:
    return status_document.parse(text.encode())


def test_a_whole_document_stays_as_it_is() -> None:
    assert parsed(json.dumps(WHOLE)) == WHOLE
    assert status_document.cleaned(WHOLE) == WHOLE


@pytest.mark.parametrize(
    "text",
    ["", "[1]", '"x"', "null", "5", "{", "[" * 8000, '{"a":' * 5000, "no JSON", '{"a": 1} x'],
)
def test_what_is_no_object_is_an_empty_document(text: str) -> None:
    assert parsed(text) == {}


@pytest.mark.parametrize(
    "document",
    [
        {"state": ["streaming"], "cause": 5, "source": [], "frames": "x", "fallback": 5},
        {"state": 1.5, "cause": "x", "source": True, "frames": [{}], "fallback": "shown"},
        {"pid": "4711", "ring": [], "control": 0, "recovery": [], "incident": {}, "attempts": []},
        {"pid": True, "retry_utc_ns": "soon", "version": 1, "epoch": 7, "camera": {}},
    ],
)
def test_a_known_key_of_another_type_is_missing(document: dict[str, object]) -> None:
    assert status_document.cleaned(document) == {}


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("source", "granted"), [640, 480]),
        (("source", "granted", "fps"), "fast"),
        (("frames", "fps"), {}),
        (("frames", "rejected"), 7),
        (("fallback", "shown"), 1),
        (("fallback", "frames"), "none"),
        (("cause", "message"), ["why"]),
        (("recovery", "unavailable"), {}),
    ],
)
def test_a_part_of_another_type_takes_nothing_else_with_it(
    where: tuple[str, ...], value: object
) -> None:
    document: object = {where[-1]: value, "note": "stays"}
    for key in reversed(where[:-1]):
        document = {key: document}
    expected: object = {"note": "stays"}
    for key in reversed(where[:-1]):
        expected = {key: expected}
    assert status_document.cleaned(document) == expected


@pytest.mark.parametrize(
    "number", ["9" * 5000, "-" + "9" * 400, str(2**65), "NaN", "Infinity", "-Infinity", "1e999"]
)
def test_a_number_that_nothing_can_have_is_null(number: str) -> None:
    told = parsed(f'{{"attempts": {number}, "frames": {{"fps": {number}}}, "state": "opening"}}')
    assert told == {"attempts": None, "frames": {"fps": None}, "state": "opening"}


@pytest.mark.parametrize("number", [2**64 - 1, 1 - 2**64])
def test_a_number_of_64_bits_stays_whatever_its_sign(number: int) -> None:
    assert parsed(f'{{"attempts": {number}}}') == {"attempts": number}


def test_what_is_nested_too_deeply_is_cut_and_the_rest_stays() -> None:
    told = parsed('{"state": "opening", "deep": ' + "[" * 500 + "]" * 500 + "}")
    assert told["state"] == "opening"
    assert len(json.dumps(told)) < 100


@pytest.mark.parametrize("text", [b'{"state": "\\ud800"}', b'{"\\ud800": 1}', b'{"state": "\xff"}'])
def test_half_a_character_becomes_one_that_can_be_written(text: bytes) -> None:
    told = status_document.parse(text)
    assert len(told) == 1
    json.dumps(told, ensure_ascii=False).encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from([*WHOLE, "granted", "fps", "x"]), inner)
    ),
)


@given(JSON)
def test_nothing_gets_through_that_json_has_not(value: object) -> None:
    told = status_document.cleaned(value)
    text = json.dumps(told, ensure_ascii=False, allow_nan=False)
    assert parsed(text) == status_document.cleaned(told) == told
