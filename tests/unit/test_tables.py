from __future__ import annotations

import pytest
from framebus.invocation.tables import amount, duration, outline, records, scalar, table


def test_columns_are_aligned_and_nothing_trails() -> None:
    assert table([["a", "bbb", "c"], ["aaaa", "b", ""]]) == "a     bbb  c\naaaa  b"


def test_records_have_a_column_for_each_key_and_a_dash_for_what_is_missing() -> None:
    lines = records([{"name": "gain", "value": 3}, {"name": "hue", "step_size": 1}]).splitlines()
    assert [line.split() for line in lines] == [
        ["NAME", "VALUE", "STEP", "SIZE"],
        ["gain", "3", "-"],
        ["hue", "-", "1"],
    ]


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    assert scalar("Cam\x1b[2J\n\x9bera é") == r"Cam\x1b[2J\n\x9bera é"
    assert outline({"menu": {"1": "\x1b]0;x\x07"}}) == r"menu.1  \x1b]0;x\x07"


def test_outline_dots_nested_objects_and_takes_any_json() -> None:
    assert outline({"a": {"b": 1, "c": {}}, "d": [1, 2]}).split() == [
        "a.b", "1", "a.c", "-", "d", "1,", "2",
    ]  # fmt: skip
    assert outline(None) == "-"
    assert outline([{"x": 1}]) == "X\n1"
    assert outline("done") == "done"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (None, "-"),
        ("", "-"),
        (0, "0"),
        (30.0, "30"),
        (29.97, "29.97"),
    ],
)
def test_scalars(value: object, text: str) -> None:
    assert scalar(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0.00 s"), (0.034, "0.03 s"), (1, "1 s"), (59.6, "1 min"), (200, "3 min 20 s"),
        (3600, "1 h"), (7500, "2 h 5 min"), (90000, "1 d 1 h"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (32 << 20, "32.0 MiB"), (5 << 30, "5.0 GiB")],
)
def test_amounts_of_bytes(size: int, text: str) -> None:
    assert amount(size) == text
