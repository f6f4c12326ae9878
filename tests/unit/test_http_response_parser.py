from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_daemon.sources.http.response_parser import LARGEST_HEAD, ResponseParser, WireError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX-Two: 1\r\nX-Two: 2\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def receive(data: bytes, pieces: list[int]) -> tuple[ResponseParser, bytes]:
    parser, body, at, turn = ResponseParser(), b"", 0, 0
    while at < len(data):
        length = pieces[turn % len(pieces)]
        body += parser.feed(data[at : at + length])
        at, turn = at + length, turn + 1
    return parser, body


PIECES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@given(PIECES)
def test_a_body_without_a_length_goes_on_until_the_connection_ends(pieces: list[int]) -> None:
    parser, body = receive(HEAD + b"\r\n" + b"the body", pieces)
    assert body == b"the body"
    assert not parser.ended
    assert parser.head is not None
    assert parser.head.status == 200
    assert parser.head.headers == {"content-type": "a/b", "x-two": "1"}


@given(PIECES)
def test_a_body_with_a_length_ends_there(pieces: list[int]) -> None:
    parser, body = receive(HEAD + b"Content-Length: 4\r\n\r\nbodymore", pieces)
    assert body == b"body"
    assert parser.ended


@given(PIECES, st.lists(st.binary(min_size=1, max_size=60), max_size=5))
def test_chunks_are_joined(pieces: list[int], chunks: list[bytes]) -> None:
    coded = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    parser, body = receive(CHUNKED + coded + b"0\r\nTrailer: x\r\n\r\n", pieces)
    assert body == b"".join(chunks)
    assert parser.ended


def test_an_interim_answer_is_followed_by_the_real_one() -> None:
    parser, body = receive(b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"\r\nbody", [7])
    assert parser.head is not None
    assert (parser.head.status, body) == (200, b"body")


def test_interim_answers_without_end_are_an_error() -> None:
    with pytest.raises(WireError, match="without end"):
        receive(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, [7])


def test_a_stream_that_is_made_multipart_has_no_length_to_be_believed() -> None:
    head = HEAD.replace(b"a/b", b"multipart/x-mixed-replace") + b"Content-Length: 0\r\n\r\n"
    parser, body = receive(head + b"--seam", [11])
    assert (body, parser.ended) == (b"--seam", False)


def test_a_body_that_says_it_is_chunked_and_is_not_is_passed_on() -> None:
    parser, body = receive(CHUNKED + b"--seam\r\nContent-Type: x\r\n", [500])
    assert body == b"--seam\r\nContent-Type: x\r\n"
    assert not parser.ended


@given(PIECES)
def test_an_answer_without_a_head_is_one(pieces: list[int]) -> None:
    parser, body = receive(b"--seam\r\nContent-Type: image/jpeg\r\n\r\n", pieces)
    assert parser.head is not None
    assert parser.head.status == 200
    assert body == b"--seam\r\nContent-Type: image/jpeg\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "reusable"),
    [
        (HEAD + b"Content-Length: 4\r\n\r\nbody", True),
        (HEAD + b"Content-Length: 4\r\n\r\nbod", False),
        (HEAD + b"Content-Length: 4\r\n\r\nbody and more", False),
        (HEAD + b"Content-Length: 0\r\nConnection: Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", True),
        (HEAD + b"\r\n", False),
        (CHUNKED + b"4\r\nbody\r\n0\r\n\r\n", True),
        (CHUNKED + b"4\r\nbody\r\n0\r\n", False),
        (CHUNKED + b"4\r\nbody\r\n0\r\nTrailer: x\r\n\r\n", False),
    ],
)
def test_a_connection_is_used_again_only_where_the_answer_ended_cleanly(
    answer: bytes, reusable: bool
) -> None:
    assert receive(answer, [1000])[0].reusable is reusable
    assert receive(answer, [3])[0].reusable is reusable


def test_all_challenges_are_kept() -> None:
    head = b"HTTP/1.1 401 No\r\nWWW-Authenticate: A\r\nwww-authenticate: B\r\n\r\n"
    parser, _ = receive(head, [9])
    assert parser.head is not None
    assert parser.head.challenges == ("A", "B")


def test_bare_line_feeds_end_a_head_too() -> None:
    parser, body = receive(b"HTTP/1.0 404 Gone away\nA: b\n\nbody", [5])
    assert parser.head is not None
    assert (parser.head.status, body) == (404, b"body")


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16 and more",
        HEAD + b"X: y\r\n" * LARGEST_HEAD,
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-5\r\n",
        CHUNKED + b"5" * 2000,
    ],
)
def test_what_is_not_http_or_too_long_is_an_error(data: bytes) -> None:
    with pytest.raises(WireError):
        ResponseParser().feed(data)
