"""What a stream's bytes look like: the multipart framing, and nothing else.

    head of the response                        (responses/takeover.py)
    --boundary
    Content-Type: image/jpeg                    )
    Content-Length: 153000                      )  one part, shared by all viewers of its style;
    X-Timestamp: 1700000000.123456              )  the boundary of the next one ends it, since
    X-Sequence: 4711                            )  browsers paint a part only when they see that
                                                )
    ...JPEG...                                  )
    --boundary                                  )
    Content-Type: ...

Styles are ustreamer's query options. `extra_headers` adds X-UStreamer-… to each part.
`advance_headers` sends the next part's headers at once, for Blink of the years when it wanted
them; so that style can have no length, time or sequence.
"""

from __future__ import annotations

import enum
import time
from typing import NamedTuple

from framebus.frame import Frame, FrameFlags
from framebus.ring.announcement import Announcement
from framebus.ring.layout import Descriptor
from framebus.ring.reader import RingReader

BOUNDARY = "boundarydonotcross"
"""As mjpg-streamer and ustreamer spell it: some small clients look for this very word."""
CONTENT_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"

_DELIMITER = f"--{BOUNDARY}\r\n".encode()
_TAIL = b"\r\n" + _DELIMITER
_ADVANCE = b"Content-Type: image/jpeg\r\n\r\n"
_HEAD = (
    b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n"
    b"X-Timestamp: %d.%06d\r\nX-Sequence: %d\r\n%b\r\n"
)
_FALLBACK = int(FrameFlags.FALLBACK)


class Style(enum.Enum):
    """Which headers go with each part."""

    PLAIN = "plain"
    EXTRA = "extra"
    ADVANCE = "advance"


class Picture(NamedTuple):
    """What is sent as one part: a frame, or a placeholder that stands in for one."""

    plain: bytes
    """Itself as a part of the style PLAIN, which nearly all viewers take."""
    start: int
    """Where in that its JPEG begins."""
    sequence: int
    """Of the frame; of the last one under a placeholder; 0 when there was none."""
    timestamp_ns: int
    """Capture time of that frame, UTC nanoseconds; when painted, if there was none."""
    width: int = 0
    height: int = 0
    captured_ns: int = 0
    """CLOCK_MONOTONIC nanoseconds; 0 for a placeholder without a frame."""
    online: bool = True
    """Whether it is the camera's own: neither a placeholder nor its fallback's."""

    @property
    def jpeg(self) -> memoryview:
        """The JPEG alone."""
        return memoryview(self.plain)[self.start : -len(_TAIL)]

    @property
    def size(self) -> int:
        """Length of the JPEG, bytes."""
        return len(self.plain) - self.start - len(_TAIL)

    @classmethod
    def announced(cls, announcement: Announcement, ring: RingReader) -> Picture:
        """Return what is sent of a frame that was announced, in the one copy that is made of it.

        Raises FrameGone when it is no longer there.
        """
        of = announcement.descriptor
        head = _frame_head(of, of.length)
        return cls.made(of, len(head), ring.copy_announced(announcement, before=head, after=_TAIL))

    @classmethod
    def of(cls, frame: Frame) -> Picture:
        """Return what is sent of a frame."""
        head = _frame_head(frame, len(frame.jpeg))
        return cls.made(frame, len(head), b"".join((head, frame.jpeg, _TAIL)))

    @classmethod
    def made(cls, of: Frame | Descriptor, start: int, plain: bytes) -> Picture:
        """Return what is sent of a frame as `plain`, where its JPEG begins at `start`."""
        return cls(
            plain,
            start,
            of.sequence,
            of.captured_utc_ns,
            of.width,
            of.height,
            of.captured_ns,
            not of.flags & _FALLBACK,
        )

    @classmethod
    def stand_in(cls, jpeg: bytes, code: str, last: Picture | None) -> Picture:
        """Return a placeholder for the cause `code`; `last` is the newest frame there was."""
        last = last or cls(b"", 0, sequence=0, timestamp_ns=time.time_ns())
        cause = f"X-Placeholder: {code}\r\n".encode("ascii")
        head = _head(len(jpeg), last.timestamp_ns, last.sequence, cause)
        return last._replace(plain=b"".join((head, jpeg, _TAIL)), start=len(head), online=False)


def opening(style: Style) -> bytes:
    """Return what comes once, before the first part."""
    return _DELIMITER + (_ADVANCE if style is Style.ADVANCE else b"")


def part(picture: Picture, style: Style, now_ns: int) -> bytes:
    """Return one part, up to the boundary of the next.

    `now_ns` (CLOCK_MONOTONIC) is for the extra headers that say how long it took.
    """
    if style is Style.PLAIN:
        return picture.plain
    if style is Style.ADVANCE:
        return b"".join((picture.jpeg, _TAIL, _ADVANCE))
    head = headers(picture) + ustreamer_headers(picture, now_ns)
    lines = "".join(f"{name}: {value}\r\n" for name, value in head)
    return b"".join((lines.encode("ascii"), b"\r\n", picture.jpeg, _TAIL))


def headers(picture: Picture) -> list[tuple[str, str]]:
    """Return the headers of a picture, as a part of a stream or as a snapshot."""
    lines = picture.plain[: picture.start].decode("ascii").splitlines()
    split = (line.partition(": ") for line in lines if line)
    return [(name, value) for name, _, value in split]


def ustreamer_headers(picture: Picture, now_ns: int) -> list[tuple[str, str]]:
    """Return what ustreamer adds: always to a snapshot, to a part with `extra_headers`."""
    return [*grabbed_headers(picture), *sent_headers(picture, now_ns)]


def grabbed_headers(picture: Picture) -> list[tuple[str, str]]:
    """Return those of them that are the same whenever the picture is sent."""
    return [
        ("X-UStreamer-Online", "true" if picture.online else "false"),
        ("X-UStreamer-Width", str(picture.width)),
        ("X-UStreamer-Height", str(picture.height)),
        ("X-UStreamer-Grab-Time", f"{picture.captured_ns / 1e9:.6f}"),
    ]


def sent_headers(picture: Picture, now_ns: int) -> list[tuple[str, str]]:
    """Return the others, of a picture that is sent now."""
    return [
        ("X-UStreamer-Send-Time", f"{now_ns / 1e9:.6f}"),
        ("X-UStreamer-Latency", f"{(now_ns - picture.captured_ns) / 1e9:.6f}"),
    ]


def _frame_head(of: Frame | Descriptor, length: int) -> bytes:
    origin = b"X-Fallback: true\r\n" if of.flags & _FALLBACK else b""
    return _head(length, of.captured_utc_ns, of.sequence, origin)


def _head(length: int, utc_ns: int, sequence: int, origin: bytes) -> bytes:
    """Return a part's headers; the timestamp is exact, as a float would not be.

    `origin` is the header of a picture that is not the camera's own, empty for one that is.
    """
    seconds, rest = divmod(utc_ns // 1000, 1_000_000)
    return _HEAD % (length, seconds, rest, sequence, origin)
