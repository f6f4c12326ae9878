"""One picture of a file, judged: what the passes over recordings and directories yield."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from framebus.contract.words import Rejection

from capture_daemon.sources.pictures import jpeg
from capture_daemon.sources.pictures.splitter import LARGEST_FRAME


class Pictures(Protocol):
    """The pictures of one pass."""

    def __iter__(self) -> Pictures:
        """Return itself."""

    def __next__(self) -> Picture:
        """Return the next picture. Raises StopIteration, OSError, AviError."""

    def close(self) -> None:
        """End the pass, and close its file."""


class Picture(NamedTuple):
    """A frame, or why it is none."""

    data: bytes
    reason: Rejection | Literal[""] = ""
    """Why it cannot be shown, as in a status document's `rejected`; empty for a frame."""
    width: int = 0
    """Pixels; 0 where the header does not tell."""
    height: int = 0
    error: OSError | None = None
    """Why it is "unreadable"."""
    at: int = 0
    """Offset of its first byte in the file."""

    @classmethod
    def of(cls, data: bytes, *, at: int = 0, thorough: bool = False) -> Picture:
        """Judge what was read at the offset `at`; what stands around the picture is left out."""
        found = jpeg.examine(data, thorough=thorough)
        if found.reason is None:
            data = data[found.start : found.end]
        width, height = found.header.width, found.header.height
        return cls(data, found.reason or "", width, height, at=at + found.start)

    @property
    def sentence(self) -> str:
        """What is wrong with it, for people."""
        if self.error is not None:
            return self.error.strerror or str(self.error)
        return _SENTENCES[self.reason]


_SENTENCES = {
    "empty": "it is empty",
    "no-soi": "it does not begin as a JPEG",
    "bad-header": "its header leads to no image",
    "no-eoi": "it was cut: its end is missing",
    "too-large": f"it is larger than {LARGEST_FRAME >> 20} MiB",
}
TOO_LARGE = Picture(b"", "too-large")
EMPTY = Picture(b"", "empty")
