"""Multipart streams as the world's cameras write them: one set of pictures, many framings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Framing:
    """How one server writes its parts."""

    delimiter: str = "--seam"
    """The whole line; empty: none is written."""
    declared: str = "seam"
    """What the Content-Type names; empty: nothing."""
    line_end: str = "\r\n"
    headers: Sequence[str] = ("Content-Type: image/jpeg",)
    length_off: int | None = 0
    """How far the Content-Length is off; None: there is none."""
    after_delimiter: int = 0
    """Empty lines after the delimiter."""
    before_body: int = 1
    """Empty lines before the body; 1 is right."""
    after_body: str | None = None
    """What stands between a body and the next delimiter; None: a line end."""
    preamble: bytes = b""
    other: bytes = b""
    """A whole part that is no picture, after each that is one."""
    last: bool = True
    """The delimiter of the next part is sent right after a body."""

    @property
    def content_type(self) -> str:
        named = f"; boundary={self.declared}" if self.declared else ""
        return f"multipart/x-mixed-replace{named}"

    def part(self, body: bytes) -> bytes:
        lines = [*([self.delimiter] if self.delimiter else []), *[""] * self.after_delimiter]
        lines += self.headers
        if self.length_off is not None:
            lines.append(f"Content-Length: {max(0, len(body) + self.length_off)}")
        head = self.line_end.join([*lines, *[""] * self.before_body, ""])
        after = self.line_end if self.after_body is None else self.after_body
        return head.encode() + body + after.encode() + self.other

    def stream(self, bodies: Sequence[bytes]) -> bytes:
        end = (self.delimiter + self.line_end).encode() if self.delimiter and self.last else b""
        return self.preamble + b"".join(map(self.part, bodies)) + end


@dataclass(frozen=True)
class Changing(Framing):
    """Another delimiter before each part."""

    def stream(self, bodies: Sequence[bytes]) -> bytes:
        each = [replace(self, delimiter=f"--seam{at}") for at in range(len(bodies))]
        return b"".join(Framing.part(one, body) for one, body in zip(each, bodies, strict=True))


@dataclass(frozen=True)
class Nested(Framing):
    """Each part in a multipart body of its own, in a part."""

    def part(self, body: bytes) -> bytes:
        head = b"--outer\r\nContent-Type: multipart/mixed; boundary=seam\r\n\r\n"
        return head + Framing.part(self, body) + b"--seam--\r\n"


SOUND = b"--seam\r\nContent-Type: audio/basic\r\nContent-Length: 50\r\n\r\n" + b"U" * 50 + b"\r\n"
FRAMINGS = {
    "plain": Framing(),
    "no-length": Framing(length_off=None),
    "length-counts-the-line-end": Framing(length_off=2),
    "length-reaches-into-the-delimiter": Framing(length_off=3),
    "length-too-large": Framing(length_off=700),
    "length-beyond-all": Framing(length_off=10**12),
    "length-too-small": Framing(length_off=-100),
    "length-zero": Framing(length_off=-(10**9)),
    "boundary-not-named": Framing(declared=""),
    "boundary-wrong": Framing(declared="other"),
    "boundary-too-short": Framing(declared="se"),
    "boundary-with-dashes": Framing(declared="--seam"),
    "boundary-quoted": Framing(declared='"seam"'),
    "boundary-with-dashes-twice": Framing(declared="--seam", delimiter="----seam"),
    "every-delimiter-closes": Framing(delimiter="--seam--"),
    "dashes-only": Framing(delimiter="--------", declared=""),
    "delimiter-without-dashes": Framing(delimiter="seam"),
    "delimiter-with-one-dash": Framing(delimiter="-seam"),
    "delimiter-with-one-dash-no-length": Framing(delimiter="-seam", length_off=None),
    "another-delimiter-each-time": Changing(),
    "another-delimiter-each-time-no-length": Changing(length_off=None),
    "another-delimiter-each-time-no-line-end": Changing(after_body="", length_off=None),
    "nested": Nested(declared="outer", last=False),
    "nested-no-length": Nested(declared="outer", last=False, length_off=None),
    "line-feeds": Framing(line_end="\n"),
    "line-feeds-no-length": Framing(line_end="\n", length_off=None),
    "no-line-end-before-the-delimiter": Framing(after_body=""),
    "no-line-end-and-no-length": Framing(after_body="", length_off=None),
    "no-type": Framing(headers=()),
    "no-headers": Framing(headers=(), length_off=None),
    "text-type": Framing(headers=("Content-Type: text/plain",)),
    "headers-in-other-case": Framing(headers=("CONTENT-TYPE:IMAGE/JPEG", "x-time: 1")),
    "empty-line-after-the-delimiter": Framing(after_delimiter=1),
    "two-empty-lines-after-the-delimiter": Framing(after_delimiter=2),
    "two-empty-lines-before-the-body": Framing(before_body=2),
    "no-empty-line-before-the-body": Framing(before_body=0),
    "no-delimiters": Framing(delimiter=""),
    "no-delimiters-and-no-length": Framing(delimiter="", length_off=None),
    "preamble": Framing(preamble=b"This is a\r\nmultipart message -- of many\r\n\r\n"),
    "preamble-and-wrong": Framing(preamble=b"\r\n-- welcome\r\n\r\n", declared="x"),
    "sound-between": Framing(other=SOUND),
    "sound-first": Framing(preamble=SOUND),
    "delimiter-with-the-next-part": Framing(last=False),
    "delimiter-with-the-next-part-no-length": Framing(last=False, length_off=None),
}
