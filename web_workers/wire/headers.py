"""What every response tells a browser that it may do with it, and heads that we write ourselves."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from email.utils import formatdate
from functools import lru_cache

_POLICY = (
    "default-src 'none'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; "
)
_COMMON: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HTML: Mapping[str, str] = {
    **_COMMON,
    "Content-Security-Policy": f"{_POLICY}script-src 'self'; style-src 'self'",
}
"""Of pages."""
HEADERS: Mapping[str, str] = {
    **_COMMON,
    "Content-Security-Policy": f"{_POLICY}style-src 'unsafe-inline'",
}
"""Of all else, in which there is no markup: the style is that of the browser's own viewers."""


def date_line() -> bytes:
    """Return the header Date of now."""
    return _date_line(int(time.time()))


@lru_cache(maxsize=1)
def _date_line(seconds: int) -> bytes:
    return lines([("Date", formatdate(seconds, usegmt=True))])


def lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """Return headers as they are sent."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")


def closing_head(status: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return a response's head that ends with the connection; never with a transfer coding."""
    own = lines([("Server", "framebus")]) + date_line() + lines([("Connection", "close")])
    return b"HTTP/1.1 %b\r\n%b%b\r\n" % (status.encode("latin-1"), own, lines(headers))
