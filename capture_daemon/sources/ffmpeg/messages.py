"""What of ffmpeg's own words may be shown: sentences that are known, and nothing else.

Its messages quote URLs, options and what servers answer, decoded and encoded in many ways. So they
are searched for what ffmpeg and the C library are known to say; the rest is left out. Pure.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable
from http import HTTPStatus

_ERRORS = sorted({os.strerror(number) for number in errno.errorcode}, key=len, reverse=True)
_SENTENCES = (
    *_ERRORS,
    "Invalid data found when processing input",
    "End of file",
    "Immediate exit requested",
    "Unknown error occurred",
    "Protocol not found",
    "Demuxer not found",
    "Decoder not found",
    "Encoder not found",
    "Filter not found",
    "Option not found",
    "Stream not found",
    "Invalid argument",
    "Unknown input format",
    "Unknown decoder",
    "Unrecognized option",
    "Could not find codec parameters",
    "could not find codec parameters",
    "Output file is empty, nothing was encoded",
    "Output file does not contain any stream",
    "Output file #0 does not contain any stream",
    "matches no streams",
    "Filtering and streamcopy cannot be used together",
    "Failed to resolve hostname",
    "Temporary failure in name resolution",
    "Name or service not known",
    "No address associated with hostname",
    "moov atom not found",
    "Failed to open segment",
    "Error opening filters",
    "Error initializing complex filters",
    "Error reinitializing filters",
    "Error while decoding stream",
    "Error while opening encoder",
    "Conversion failed",
    "The specified session has been invalidated",
    "Connection failed",
    "connection failed",
    "Certificate verification failed",
    "certificate verify failed",
    "Unable to open resource",
    "not on whitelist",
    "unknown keyword",
    "Too many packets buffered",
    "Invalid frame dimensions",
    "Cannot determine format of input stream",
)
_KNOWN = re.compile(
    r"(?:Server returned|HTTP error|failed:|error) (?P<status>[1-5][0-9]{2})\b|(?P<said>"
    + "|".join(map(re.escape, _SENTENCES))
    + ")"
)


def known(lines: Iterable[str]) -> str:
    """Return what of these lines is known, each sentence once; empty if nothing is."""
    said: dict[str, None] = {}
    for line in lines:
        for found in _KNOWN.finditer(line):
            said[_answer(found["status"]) if found["status"] else found["said"]] = None
    return "; ".join(said)


def _answer(status: str) -> str:
    try:
        return f"the server answers {status} {HTTPStatus(int(status)).phrase}"
    except ValueError:
        return f"the server answers {status}"
