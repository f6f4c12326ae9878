"""Text of others on its way to a terminal or a log."""

from __future__ import annotations

import pytest
from framebus.printable import line, lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcode, 日本語, 🎥", "plain, ünïcode, 日本語, 🎥"),
        ("\x1b]0;title\x07\x1b[31mred", "\\x1b]0;title\\x07\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nINFO made up\r\tb", "a\\nINFO made up\\r\\tb"),
        ("\u202egnp.exe\u2066\u200b", "\\u202egnp.exe\\u2066\\u200b"),
        ("\u2028next line", "\\u2028next line"),
        ("\udcff\x7f\x00", "\\udcff\\x7f\\x00"),
    ],
)
def test_what_orders_a_terminal_about_becomes_what_a_person_can_read(text: str, shown: str) -> None:
    assert line(text) == shown


def test_line_breaks_stay_where_text_has_several_lines() -> None:
    assert lines("a\n\tb\r\x1b[1m") == "a\n\tb\\r\\x1b[1m"
