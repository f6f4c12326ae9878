from __future__ import annotations

import pytest

from web_workers.admission.request_framing import (
    BODY_MAX,
    HEAD_MAX,
    CompleteRequest,
    RequestFraming,
    RequestRefused,
)

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


def byte_by_byte(request: bytes) -> CompleteRequest | None:
    """Feed a request byte by byte; it must not be whole before its last one."""
    framing, data = RequestFraming(), bytearray()
    for at, byte in enumerate(request, 1):
        data.append(byte)
        whole = framing.of(data)
        if whole is not None:
            assert at == len(request), data
            return whole
    return None


@pytest.mark.parametrize("request_", [GET, b"\r\n" + GET, POST % 3 + b"abc", POST % 0])
def test_a_request_ends_with_its_last_byte_and_not_before(request_: bytes) -> None:
    assert byte_by_byte(request_) == CompleteRequest(len(request_), last=False)
    assert RequestFraming().of(bytearray(request_ + GET)) == CompleteRequest(
        len(request_), last=False
    )
    assert byte_by_byte(request_[:-1]) is None


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 3\r\nContent-Length: 3",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Content-Length: 3, 3",
        b"Content-Length: +3",
        b"Content-Length: \xb2",
        b"Content-Length : 3",
        b"content-length:",
        b"X: y\nContent-Length: 3",
    ],
)
def test_what_has_no_clear_end_is_the_last_request_with_all_that_follows(lines: bytes) -> None:
    data = b"POST / HTTP/1.1\r\n" + lines + b"\r\n\r\nabc" + GET
    whole = RequestFraming().of(bytearray(data))
    assert whole is not None
    assert whole.last or whole.size == data.index(b"abc") + 3


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\nHost: x\n\n", b"\r\n\r\nGET"])
def test_what_never_ends_as_heads_do_is_handed_over_at_once(start: bytes) -> None:
    assert RequestFraming().of(bytearray(start)) == CompleteRequest(len(start), last=True)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + bytes(HEAD_MAX), 431),
        (b"GET / HTTP/1.1\r\nX: " + bytes(HEAD_MAX) + b"\r\n\r\n", 431),
        (b"G" * (HEAD_MAX + 1), 414),
        (POST % (BODY_MAX + 1), 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_there(request_: bytes, status: int) -> None:
    with pytest.raises(RequestRefused) as caught:
        RequestFraming().of(bytearray(request_))
    assert caught.value.status == status


def test_a_head_of_the_largest_size_passes() -> None:
    head = b"GET / HTTP/1.1\r\nX: "
    data = head + b"y" * (HEAD_MAX - len(head)) + b"\r\n\r\n"
    assert RequestFraming().of(bytearray(data)) == CompleteRequest(len(data), last=False)


def test_only_a_body_is_waited_for_with_a_word() -> None:
    framing = RequestFraming()
    assert (
        framing.of(bytearray((POST % 3).replace(b"Host", b"Expect: 100-Continue\r\nHost"))) is None
    )
    assert framing.expects_continue
