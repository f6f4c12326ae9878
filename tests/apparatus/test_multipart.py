"""The tests' own reader of streams: it must complain, or the tests that use it prove nothing."""

from __future__ import annotations

import pytest

from tests.helpers.multipart import Parser

BOUNDARY = b"--boundarydonotcross\r\n"
PART = b"Content-Length: 3\r\nX-Sequence: 1\r\n\r\nabc\r\n" + BOUNDARY


def test_parts_are_found_in_any_pieces() -> None:
    parser = Parser()
    parts = [part for byte in BOUNDARY + PART + PART for part in parser.feed(bytes([byte]))]
    assert [(part.body, part.sequence) for part in parts] == [(b"abc", 1), (b"abc", 1)]


@pytest.mark.parametrize(
    "stream",
    [
        PART,
        b"x" + BOUNDARY + PART,
        BOUNDARY + PART.replace(b"abc", b"abcd"),
        BOUNDARY + PART.replace(b"abc", b"ab"),
        BOUNDARY + PART.replace(b"abc\r\n--", b"abc--"),
    ],
)
def test_a_broken_stream_is_complained_of(stream: bytes) -> None:
    with pytest.raises(AssertionError, match="was due"):
        Parser().feed(stream + PART)
