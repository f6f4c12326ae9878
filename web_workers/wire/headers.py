"""What every response tells a browser that it may do with it. gunicorn's own errors too."""

from __future__ import annotations

from collections.abc import Mapping

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
