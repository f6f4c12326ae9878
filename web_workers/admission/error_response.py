"""What a client is told whose request never reaches the app.

The shape is that of responses/problems.py.
"""

from __future__ import annotations

import json

from web_workers.admission.request_framing import RequestRefused
from web_workers.wire.headers import HEADERS, closing_head

_REASONS = {
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
}


def response(refused: RequestRefused) -> bytes:
    """Return the whole response, after which the connection is closed."""
    body = json.dumps({"error": refused.error, "message": str(refused)}).encode() + b"\n"
    length = ("Content-Length", str(len(body)))
    headers = [("Content-Type", "application/json"), length, *HEADERS.items()]
    return closing_head(f"{refused.status} {_REASONS[refused.status]}", headers) + body
