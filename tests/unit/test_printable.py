"""Text of others on its way to a terminal or a log."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
from framebus.printable import Formatter, line, lines


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


def test_a_log_has_one_line_of_a_message_and_a_harmless_traceback() -> None:
    formatter = Formatter("%(levelname)s %(message)s")
    try:
        raise ValueError("\x1b[31m\x9b")
    except ValueError:
        record = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "of %s", ("a\nb\x1b[2J",), sys.exc_info()
        )
    text = formatter.format(record)
    assert text.splitlines()[0] == "ERROR of a\\nb\\x1b[2J"
    assert len(text.splitlines()) > 2
    assert "\x1b" not in text
    assert "\x9b" not in text


def test_the_daemons_log_is_written_with_it() -> None:
    code = (
        "import logging; from framebus import logs; logs.to_stderr('front', 'info'); "
        "logging.getLogger('x').info('%s', '\\x1b[2J\\nERROR front: made up')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stderr.endswith(" INFO front: \\x1b[2J\\nERROR front: made up\n")
    assert done.stderr.count("\n") == 1
