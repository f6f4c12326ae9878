"""What every response tells a browser that it may do with it. gunicorn's own errors too."""

from __future__ import annotations

from collections.abc import Mapping

_FRAMES = "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
_COMMON: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HTML: Mapping[str, str] = {
    **_COMMON,
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; script-src 'self'; style-src 'self'; "
        f"connect-src 'self'; {_FRAMES}"
    ),
}
"""Of pages."""
HEADERS: Mapping[str, str] = {
    **_COMMON,
    "Content-Security-Policy": f"default-src 'none'; style-src 'unsafe-inline'; {_FRAMES}",
}
"""Of all else, in which there is no markup: the style is that of the browser's own viewers."""
