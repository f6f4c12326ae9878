"""What people read of the options is what the table says."""

from __future__ import annotations

from pathlib import Path

from framebus.options.page import EXAMPLE, PAGE, commented, reference
from framebus.options.table import MAX_VIEWERS, TABLE

HERE = Path(__file__).parents[2]
RUN = "run python -m framebus.options.page"


def test_the_page_is_what_the_table_says() -> None:
    assert (HERE / PAGE).read_text() == reference(), RUN
    for option in TABLE:
        assert f"`{option.variable}`" in reference()


def test_the_comments_of_the_example_are_what_the_table_says() -> None:
    text = (HERE / EXAMPLE).read_text()
    assert commented(text) == text, RUN
    stale = text.replace(MAX_VIEWERS.help.split(";")[0], "Something else")
    assert stale != text
    assert commented(stale) == text


def test_only_the_first_comment_of_a_key_is_written() -> None:
    text = commented("# mine\n\n# stale\nfps = 5\n[camera.front]\n# of this one\nfps = 6\n")
    assert text.startswith("# mine\n\n# Frames a second")
    assert text.endswith("fps = 5\n[camera.front]\n# of this one\nfps = 6\n")
