"""Where a request ends, so that it can be handed to gunicorn's parser whole. Pure.

It decides nothing about what a request means: gunicorn's parser reads the same bytes again and is
the only one that judges them. What has no clear end here (two lengths, a bare LF) is handed over as
the connection's last request, for gunicorn to refuse; so the two can never disagree about where the
next request begins.

Bounds: RFC 9110 section 15.5 (408, 411, 413, 414) and RFC 6585 section 5 (431).
"""

from __future__ import annotations

import re
from typing import NamedTuple

HEAD_MAX = 32_768
"""Bytes of request line and headers together. Browsers send one thousand or two."""
BODY_MAX = 65_536
"""Bytes of a body: a command is a few hundred."""

_END = b"\r\n\r\n"
_LENGTH_NAMED = re.compile(rb"^content-length[ \t]*:", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(
    rb"^content-length:[ \t]*([0-9]{1,15})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_CODING = re.compile(rb"^transfer-encoding[ \t]*:", re.IGNORECASE | re.MULTILINE)
_EXPECTS = re.compile(rb"^expect:[ \t]*100-continue[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class CompleteRequest(NamedTuple):
    """A request that is there to its end."""

    size: int
    """Of its bytes; what follows is the next request's."""
    last: bool
    """No other request can follow on this connection, since the end of this one is not clear."""


class RequestRefused(Exception):
    """A request that no thread is bothered with."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error


class RequestFraming:
    """Looks for the end of one request while its bytes come in."""

    def __init__(self) -> None:
        self._searched = 0
        self._size = 0  # once the head is there
        self.expects_continue = False
        """The head is there, and the client waits for "100 Continue" before it sends the body."""

    def of(self, data: bytearray) -> CompleteRequest | None:
        """Look at all that has come so far; None while there is more to come. Raises Refused."""
        if not self._size:
            whole = self._head(data)
            if whole is not None or not self._size:
                return whole
        return CompleteRequest(self._size, last=False) if len(data) >= self._size else None

    def _head(self, data: bytearray) -> CompleteRequest | None:
        start = 2 if data.startswith(b"\r\n") else 0  # one empty line may come first (RFC 9112 2.2)
        end = data.find(_END, max(start, self._searched - 3))
        unclear = data.startswith(b"\r\n", start) if start else False
        if unclear or (
            data.find(b"\n\n", max(0, self._searched - 1), end if end >= 0 else None) >= 0
        ):
            return CompleteRequest(len(data), last=True)
        if end < 0 or end > HEAD_MAX:
            if len(data) > HEAD_MAX:
                raise _head_too_large(data)
            self._searched = len(data)
            return None
        head = bytes(data[start:end])
        lengths = _LENGTH.findall(head)
        coded = _CODING.search(head) is not None
        if len(_LENGTH_NAMED.findall(head)) != len(lengths) or len(lengths) + coded > 1:
            return CompleteRequest(len(data), last=True)
        if coded:
            raise RequestRefused(411, "length-required", "a body needs a Content-Length here")
        body = int(lengths[0]) if lengths else 0
        if body > BODY_MAX:
            raise RequestRefused(
                413, "too-large", f"the body is larger than the {BODY_MAX} bytes it may have"
            )
        self._size = end + len(_END) + body
        self.expects_continue = body > 0 and _EXPECTS.search(head) is not None
        return None


def _head_too_large(data: bytearray) -> RequestRefused:
    if b"\r\n" not in data[:HEAD_MAX]:
        return RequestRefused(
            414, "uri-too-long", f"the request line is longer than the {HEAD_MAX} bytes of a head"
        )
    return RequestRefused(
        431, "head-too-large", f"the headers are larger than the {HEAD_MAX} bytes they may have"
    )
