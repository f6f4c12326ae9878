"""One picture of a multipart stream, and what its headers say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Part(NamedTuple):
    """One picture."""

    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes | memoryview
    """A view is valid until the parser's next `feed`."""
