from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.sources.multipart import MultipartError, MultipartParser, Part, boundary_of

BODIES = [b"\xff\xd8 one \r\n--sea \xff\xd9", b"\xff\xd8 two \xff\xd9", b"\xff\xd8 3 \xff\xd9"]


def stream(*, length: bool, end: bytes = b"\r\n", delimiter: bytes = b"--seam") -> bytes:
    """Three parts and the delimiter after the last, as servers send them."""
    pieces = []
    for number, body in enumerate(BODIES):
        pieces += [delimiter, end, b"Content-Type: image/jpeg", end, b"X-Number: %d" % number, end]
        if length:
            pieces += [b"Content-Length: %d" % len(body), end]
        pieces += [end, body, end]
    return b"".join([*pieces, delimiter, end])


def parse(data: bytes, boundary: str = "seam", pieces: list[int] | None = None) -> list[Part]:
    parser, parts, at, turn = MultipartParser(boundary), [], 0, 0
    while at < len(data):
        length = pieces[turn % len(pieces)] if pieces else len(data)
        parts += parser.feed(data[at : at + length])
        at, turn = at + length, turn + 1
    return parts


@given(st.lists(st.integers(1, 90), min_size=1, max_size=5), st.booleans())
def test_pieces_of_any_length_give_the_same_parts(pieces: list[int], length: bool) -> None:
    parts = parse(stream(length=length), pieces=pieces)
    assert [part.body for part in parts] == BODIES
    assert [part.headers["x-number"] for part in parts] == ["0", "1", "2"]


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize(
    ("boundary", "delimiter"),
    [
        ("seam", b"--seam"),
        ("--seam", b"--seam"),  # mjpg-streamer's old versions and many cameras
        ("--seam", b"----seam"),  # the standard, to the letter
        ("seam", b"seam"),  # no dashes at all
    ],
)
def test_dashes_and_line_ends_may_be_any_that_are_sent(
    boundary: str, delimiter: bytes, end: bytes, length: bool
) -> None:
    data = stream(length=length, end=end, delimiter=delimiter)
    assert [part.body for part in parse(data, boundary)] == BODIES


def test_a_part_with_a_length_is_whole_with_its_last_byte() -> None:
    parser = MultipartParser("seam")
    head = b"--seam\r\nContent-Length: 3\r\n\r\n"
    assert parser.feed(head + b"ab") == []
    assert [part.body for part in parser.feed(b"c")] == [b"abc"]


def test_a_delimiter_without_a_line_end_before_it_is_found() -> None:
    parts = parse(b"--seam\r\n\r\n\xff\xd8\xff\xd9--seam\r\n\r\n")
    assert [part.body for part in parts] == [b"\xff\xd8\xff\xd9"]


def test_what_stands_before_the_first_delimiter_is_dropped() -> None:
    assert len(parse(b"a preamble --seamless \r\n" * 50 + stream(length=True), pieces=[40])) == 3


@pytest.mark.parametrize("said", [5, 10_000])
def test_a_wrong_length_costs_parts_but_not_the_stream(said: int) -> None:
    wrong = b"--seam\r\nContent-Length: %d\r\n\r\n" % said + b"x" * 400 + b"\r\n"
    parts = parse(wrong + stream(length=True) * 80, pieces=[512])
    assert [part.body for part in parts[-3:]] == BODIES
    assert len(parts) > 100


def test_nothing_comes_after_the_closing_delimiter() -> None:
    parser = MultipartParser("seam")
    parts = parser.feed(stream(length=True)[:-2] + b"--\r\n" + stream(length=True))
    assert len(parts) == 3
    assert parser.ended
    assert parser.feed(stream(length=True)) == []


@pytest.mark.parametrize(
    "data",
    [
        b"--seam\r\nContent-Length: 999999\r\n\r\n",
        b"--seam\r\n\r\n" + b"x" * 40_000,
        b"--seam\r\n" + b"X-Long: y\r\n" * 4000,
    ],
)
def test_each_limit_ends_the_stream(data: bytes) -> None:
    with pytest.raises(MultipartError, match="larger"):
        MultipartParser("seam", largest=10_000).feed(data)


def test_endless_bytes_without_a_delimiter_are_not_hoarded() -> None:
    parser = MultipartParser("seam", largest=1000)
    for _ in range(1000):
        assert parser.feed(b"y" * 1000) == []


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/x-mixed-replace;boundary=seam", "seam"),
        ('Multipart/X-Mixed-Replace; boundary="a seam"; charset=x', "a seam"),
        ("multipart/x-mixed-replace; Boundary = --seam", "--seam"),
    ],
)
def test_the_boundary_is_found_in_the_type(content_type: str, boundary: str) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/html",
        "image/jpeg",
        "multipart/mixed",
        "multipart/x; boundary=",
        'multipart/x; boundary="--"',
    ],
)
def test_a_type_without_a_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(MultipartError):
        boundary_of(content_type)
