"""Takes the secrets out of source texts before a person, a log or a status document sees them.

It knows where URLs and ffmpeg options carry passwords; it does not know who asks or why.
"""

from __future__ import annotations

import re

_HIDDEN = "***"

_PATTERNS = (
    # URL user information: everything between "//" and the last "@" of the authority (RFC 3986).
    re.compile(r"(?<=://)[^/?#\s]*(?=@)"),
    # IP cameras take the password as a query parameter.
    re.compile(
        r"(?<=[?&])((?:user|usr|login|loginuse|loginpas|pwd|pass|passwd|password|token|auth|key)=)"
        r"[^&#\s]+",
        re.IGNORECASE,
    ),
    # ffmpeg's -headers "Authorization: Basic ...".
    re.compile(r"(authorization:\s*(?:\w+\s+)?)[^\s'\"]+", re.IGNORECASE),
)


def redact(text: str) -> str:
    """Return `text` with user information, query passwords and authorizations as "***"."""
    for pattern in _PATTERNS:
        text = pattern.sub(lambda found: (found[1] if found.re.groups else "") + _HIDDEN, text)
    return text
