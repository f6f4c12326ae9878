"""Attacks on the bytes of a request: smuggling, and sizes. docs/security.md lists them.

A smuggled request is one that a proxy in front took for the body of another, and that the server
answers as a request of its own. So each of these is followed by a second request: it must get no
answer.
"""

from __future__ import annotations

import re

import pytest

from tests.programs.guarded_web_tier import Guarded

SECOND = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def request(
    headers: bytes, body: bytes = b"", *, first_line: bytes = b"GET /healthz HTTP/1.1"
) -> bytes:
    """A request with these headers and this body, and the one that is to be smuggled."""
    return first_line + b"\r\nHost: localhost\r\n" + headers + b"\r\n" + body + SECOND


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


def refused(server: Guarded, data: bytes) -> None:
    """Fail if more than the first request is answered, or that one as if it were in order."""
    found = statuses(server.raw(data))
    assert len(found) == 1, found
    assert found[0] >= 400


def test_two_requests_in_order_are_both_answered(server: Guarded) -> None:
    assert statuses(server.raw(request(b"Content-Length: 0\r\n"))) == [200, 200]


def test_a_body_in_chunks_is_refused_and_nothing_follows_it(server: Guarded) -> None:
    assert statuses(server.raw(request(CHUNKED, b"0\r\n\r\n"))) == [411]


def test_smuggling_by_length_before_chunks(server: Guarded) -> None:
    refused(server, request(b"Content-Length: 6\r\n" + CHUNKED, b"0\r\n\r\n"))


def test_smuggling_by_chunks_before_length(server: Guarded) -> None:
    refused(server, request(CHUNKED + b"Content-Length: 4\r\n", b"5c\r\n"))


@pytest.mark.parametrize(
    "coding",
    [
        CHUNKED + b"Transfer-Encoding: x\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"X: a\r\n Transfer-Encoding: chunked\r\n",
    ],
)
def test_smuggling_by_a_coding_that_one_side_does_not_see(server: Guarded, coding: bytes) -> None:
    refused(server, request(coding, b"0\r\n\r\n"))


@pytest.mark.parametrize(
    "length",
    [
        b"Content-Length: 0\r\nContent-Length: 60\r\n",
        b"Content-Length: 0, 60\r\n",
        b"Content-Length: +0\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x0\r\n",
        b"Content-Length: 0_0\r\n",
    ],
)
def test_smuggling_by_lengths_that_can_be_read_in_two_ways(server: Guarded, length: bytes) -> None:
    refused(server, request(length))


@pytest.mark.parametrize(
    "data",
    [
        request(b"Content-Length: 0\r\n").replace(b"\r\n", b"\n", 3),
        request(b"X: a\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
        request(b"X: a\rTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
        request(b"X: a\0b\r\n"),
    ],
)
def test_smuggling_by_a_bare_line_feed_carriage_return_or_nul(server: Guarded, data: bytes) -> None:
    refused(server, data)


@pytest.mark.parametrize("chunk", [b"0\n\n", b"0;\n\r\n\r\n", b"-1\r\n\r\n", b"0x0\r\n\r\n"])
def test_smuggling_by_chunks_that_can_be_read_in_two_ways(server: Guarded, chunk: bytes) -> None:
    refused(server, request(CHUNKED, chunk))


def test_smuggling_by_chunks_in_an_old_version(server: Guarded) -> None:
    headers = CHUNKED + b"Connection: keep-alive\r\n"
    refused(server, request(headers, b"0\r\n\r\n", first_line=b"GET /healthz HTTP/1.0"))


def test_two_hosts_in_one_request(server: Guarded) -> None:
    refused(server, request(b"Host: evil.example\r\n"))


@pytest.mark.parametrize(
    "data",
    [
        request(b"X: " + b"a" * 100_000 + b"\r\n"),
        request(b"".join(b"X%d: a\r\n" % number for number in range(1000))),
        request(b"", first_line=b"GET /" + b"a" * 100_000 + b" HTTP/1.1"),
        request(b"Cookie: " + b"framebus-00000000=a; " * 5000 + b"\r\n"),
    ],
)
def test_huge_headers_and_lines(server: Guarded, data: bytes) -> None:
    answer = server.raw(data)
    assert statuses(answer) in ([], [414], [431])  # none where it ended before we had sent all


def test_answers_to_what_is_no_request_have_the_headers_too(server: Guarded) -> None:
    answer = server.raw(b"GET / HTTP/9.9x\r\n\r\n")
    assert statuses(answer) == [400]
    for header in (b"frame-ancestors", b"nosniff", b"no-store", b"no-referrer"):
        assert header in answer
