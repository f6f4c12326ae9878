"""What a client is told whose request never reaches the app.

The shape is that of responses/problems.py.
"""

from __future__ import annotations

import json
from email.utils import formatdate

from web_workers.admission.request_framing import RequestRefused
from web_workers.wire.headers import HEADERS

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
    head = (
        f"HTTP/1.1 {refused.status} {_REASONS[refused.status]}\r\n"
        "Server: framebus\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        + "\r\n"
    )
    return head.encode("ascii") + body
