"""What a stream's bytes look like: the multipart framing, and nothing else.

    head of the response                        (takeover.py)
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

BOUNDARY = "boundarydonotcross"
"""As mjpg-streamer and ustreamer spell it: some small clients look for this very word."""
CONTENT_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"

_DELIMITER = f"--{BOUNDARY}\r\n".encode()
_TAIL = b"\r\n" + _DELIMITER
_ADVANCE = b"Content-Type: image/jpeg\r\n\r\n"


class Style(enum.Enum):
    """Which headers go with each part."""

    PLAIN = "plain"
    EXTRA = "extra"
    ADVANCE = "advance"


class Picture(NamedTuple):
    """What is sent as one part: a frame, or a placeholder that stands in for one."""

    jpeg: bytes
    sequence: int
    """Of the frame; of the last one under a placeholder; 0 when there was none."""
    timestamp_ns: int
    """Capture time of that frame, UTC nanoseconds; when painted, if there was none."""
    width: int = 0
    height: int = 0
    captured_ns: int = 0
    """CLOCK_MONOTONIC nanoseconds; 0 for a placeholder without a frame."""
    placeholder: str = ""
    """Why it stands in for a frame: a cause's code; empty for a frame."""
    fallback: bool = False
    """Not the camera's picture, but its fallback's."""

    @classmethod
    def of(cls, frame: Frame) -> Picture:
        """Return a frame as what is sent of it."""
        return cls(
            jpeg=frame.jpeg,
            sequence=frame.sequence,
            timestamp_ns=frame.captured_utc_ns,
            width=frame.width,
            height=frame.height,
            captured_ns=frame.captured_ns,
            fallback=FrameFlags.FALLBACK in frame.flags,
        )

    @classmethod
    def stand_in(cls, jpeg: bytes, code: str, last: Picture | None) -> Picture:
        """Return a placeholder for the cause `code`; `last` is the newest frame there was."""
        if last is None:
            return cls(jpeg=jpeg, sequence=0, timestamp_ns=time.time_ns(), placeholder=code)
        return last._replace(jpeg=jpeg, placeholder=code)


def opening(style: Style) -> bytes:
    """Return what comes once, before the first part."""
    return _DELIMITER + (_ADVANCE if style is Style.ADVANCE else b"")


def part(picture: Picture, style: Style, now_ns: int) -> bytes:
    """Return one part, up to the boundary of the next.

    `now_ns` (CLOCK_MONOTONIC) is for the extra headers that say how long it took.
    """
    if style is Style.ADVANCE:
        return b"".join((picture.jpeg, _TAIL, _ADVANCE))
    head = headers(picture)
    if style is Style.EXTRA:
        head += ustreamer_headers(picture, now_ns)
    lines = "".join(f"{name}: {value}\r\n" for name, value in head)
    return b"".join((lines.encode("ascii"), b"\r\n", picture.jpeg, _TAIL))


def headers(picture: Picture) -> list[tuple[str, str]]:
    """Return the headers of a picture, as a part of a stream or as a snapshot."""
    head = [
        ("Content-Type", "image/jpeg"),
        ("Content-Length", str(len(picture.jpeg))),
        ("X-Timestamp", timestamp(picture.timestamp_ns)),
        ("X-Sequence", str(picture.sequence)),
    ]
    if picture.placeholder:
        head.append(("X-Placeholder", picture.placeholder))
    if picture.fallback:
        head.append(("X-Fallback", "true"))
    return head


def timestamp(utc_ns: int) -> str:
    """Return seconds since 1970 with six decimals; exact, as a float would not be."""
    seconds, rest = divmod(utc_ns // 1000, 1_000_000)
    return f"{seconds}.{rest:06d}"


def ustreamer_headers(picture: Picture, now_ns: int) -> list[tuple[str, str]]:
    """Return what ustreamer adds: always to a snapshot, to a part with `extra_headers`."""
    online = not (picture.placeholder or picture.fallback)
    return [
        ("X-UStreamer-Online", "true" if online else "false"),
        ("X-UStreamer-Width", str(picture.width)),
        ("X-UStreamer-Height", str(picture.height)),
        ("X-UStreamer-Grab-Time", f"{picture.captured_ns / 1e9:.6f}"),
        ("X-UStreamer-Send-Time", f"{now_ns / 1e9:.6f}"),
        ("X-UStreamer-Latency", f"{(now_ns - picture.captured_ns) / 1e9:.6f}"),
    ]
