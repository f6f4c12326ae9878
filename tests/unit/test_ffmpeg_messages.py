"""Of what ffmpeg says only what is known is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.sources.ffmpeg.messages import known


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["rtsp://u:secret@h/1: Connection refused"], "Connection refused"),
        (
            ["[rtsp @ 0x1] method DESCRIBE failed: 404 No secret"],
            "the server answers 404 Not Found",
        ),
        (
            [
                "[http @ 0x1] HTTP error 401 secret",
                "http://secret: Server returned 401 Unauthorized",
            ],
            "the server answers 401 Unauthorized",
        ),
        (["error 499 secret"], "the server answers 499"),
        (["secret: No such file or directory", "secret"], "No such file or directory"),
        (["x: Connection timed out", "y: Connection timed out"], "Connection timed out"),
        (["secret"], ""),
        ([], ""),
    ],
)
def test_known_sentences_are_shown_and_nothing_else(lines: list[str], shown: str) -> None:
    assert known(lines) == shown


@given(st.lists(st.text(max_size=40), max_size=6))
def test_no_other_text_comes_through(lines: list[str]) -> None:
    assert "Zq7" not in known([f"{line}Zq7{line}" for line in lines])
