"""A QR code in a terminal, for a phone to read; nothing where that cannot be."""

from __future__ import annotations

import os
import shutil
import sys
from itertools import zip_longest

from framebus import installation

_BLOCKS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
_QUIET = 2  # light modules around it
_DARK_ON_LIGHT, _AS_BEFORE = "\x1b[30;107m", "\x1b[0m"


def for_terminal(text: str) -> str:
    """Return the lines of a code, "" where nobody could see one.

    That is where standard output is no terminal, or a narrow one, or one without block elements.
    """
    if (
        not text
        or sys.stdout is None
        or not sys.stdout.isatty()
        or os.environ.get("TERM") == "dumb"
    ):
        return ""
    try:
        "█".encode(sys.stdout.encoding)
    except UnicodeError:
        return ""
    return drawn(text, columns=shutil.get_terminal_size().columns)


def drawn(text: str, *, columns: int) -> str:
    """Return the lines of a code that is at most so many columns wide, "" for none, or why."""
    try:
        import segno  # only who serves beyond this machine needs it
    except ImportError as error:
        return f"No QR code: {installation.explained(error)}"
    code = segno.make_qr(text, error="l")
    rows = [[bool(dark) for dark in row] for row in code.matrix_iter(border=_QUIET)]
    if len(rows[0]) > columns:
        return ""
    lines = []
    for upper, lower in zip_longest(rows[::2], rows[1::2], fillvalue=[False] * len(rows[0])):
        blocks = "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        lines.append(f"{_DARK_ON_LIGHT}{blocks}{_AS_BEFORE}")
    return "\n".join(lines)
