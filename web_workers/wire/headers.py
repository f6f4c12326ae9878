"""What every response tells a browser that it may do with it, and heads that we write ourselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from email.utils import formatdate

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


def closing_head(status: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return a response's head that ends with the connection; never with a transfer coding."""
    lines = [
        f"HTTP/1.1 {status}",
        "Server: framebus",
        f"Date: {formatdate(usegmt=True)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
