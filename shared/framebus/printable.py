"""Text of others, made harmless for a terminal and for a log: it stays one line and says no orders.

A camera's name, a daemon's answer or a request may hold escape sequences that move a terminal's
cursor, set its title or type into it, line breaks that make a line of a log up, or signs that turn
what follows around. Each becomes the escape that a person can read. Standard library only.
"""

from __future__ import annotations

import json
import re
from typing import Final

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"  # direction, lines, unseen
    "\ud800-\udfff]"  # bytes that were no text
)
_UNSAFE_BUT_LINES: Final = re.compile(f"(?![\t\n]){_UNSAFE.pattern}")


def line(text: str) -> str:
    """Return `text` as one harmless line."""
    return _UNSAFE.sub(_escape, text)


def lines(text: str) -> str:
    """Return `text` harmless, with its line breaks and tabs."""
    return _UNSAFE_BUT_LINES.sub(_escape, text)


def json_text(document: object) -> str:
    """Return a document as JSON for people and programs, with escapes for what is not harmless."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return _UNSAFE_BUT_LINES.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
