"""The status text of a segment, as its readers copy it out; docs/ring.md says how it lies there."""

from __future__ import annotations

import zlib

from framebus.contract import status_document
from framebus.ring import layout

_TRIES = 8  # the writer needs microseconds for a status; losing eight races means it died


def read(words: memoryview, bytes_: memoryview) -> dict[str, object]:
    """Return the document, made harmless (status_document.py); empty when none can be read."""
    for _ in range(_TRIES):
        generation = words[layout.W_STATUS_GENERATION]
        length = words[layout.W_STATUS_LENGTH]
        check = words[layout.W_STATUS_CHECK]
        if generation == 0:
            return {}
        if generation % 2 or length > layout.STATUS_TEXT_MAX:
            continue
        text = bytes(bytes_[layout.STATUS_TEXT : layout.STATUS_TEXT + length])
        if words[layout.W_STATUS_GENERATION] == generation and zlib.crc32(text) == check:
            return status_document.parse(text)
    return {}


def written(words: memoryview) -> bool:
    """Whether a whole text was written, and none is being written now."""
    generation: int = words[layout.W_STATUS_GENERATION]
    return generation > 0 and generation % 2 == 0
