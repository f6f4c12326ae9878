"""Why there are no frames: one cause, with a code for programs and two sentences for people.

The codes are types: whoever makes a cause or an error of a word that is not here, mypy stops.
docs/control.md, docs/network-cameras.md and docs/http.md explain them; a test misses those that do
not stand there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal, Self, cast

_Asked = Literal["stopped", "lent", "reset", "idle"]
_Seen = Literal["opening", "closing", "not-answering", "silent", "garbage", "too-large", "frozen"]
_Refused = Literal["held", "same-device", "bad-source", "not-installed", "bug"]
CaptureCode = Literal[_Asked, _Seen, _Refused]
"""Of the capture itself, whatever the source is."""

_Device = Literal["device-absent", "device-gone", "ambiguous-device", "not-a-camera", "device-busy"]
_Machine = Literal["no-permission", "no-bandwidth", "no-memory", "no-descriptors", "device-error"]
_Format = Literal["refused-format", "refused-stream", "no-usable-format", "no-encoder"]
_Stream = Literal["stream-broken", "not-streaming"]
_Control = Literal["control-locked", "control-range", "control-refused"]
_Network = Literal[
    "no-such-host", "refused", "no-answer", "unreachable", "bad-certificate", "no-tls"
]
_Server = Literal["unauthorized", "forbidden", "not-found", "bad-status", "too-many-redirects"]
_Answer = Literal["bad-url", "not-jpeg", "not-multipart", "no-picture", "camera-away", "changed"]
_File = Literal["no-such-file", "unreadable", "not-a-file", "no-jpeg", "no-motion-jpeg"]
_Program = Literal["no-ffmpeg", "ffmpeg-ended", "no-rpicam", "rpicam-ended", "no-process"]
_Asked_For = Literal["bad-fps", "bad-size", "no-pillow"]
_V4l2 = Literal[_Device, _Machine, _Format, _Stream, _Control]
_Http = Literal[_Network, _Server, _Answer]
SourceCode = Literal[_V4l2, _Http, _File, _Program, _Asked_For]
InnerCode = Literal["interrupted", "not-open", "other-format", "other-request"]
"""Between the daemon's threads, and of what a predecessor left: nobody is told them as a cause."""
ViewerCode = Literal[
    "daemon-absent",
    "daemon-died",
    "no-frames",
    "untrusted",
    "other-version",
    "out-of-resources",
    "unknown",
]
"""What the web tier finds out itself, where no daemon can say it."""
Code = Literal[CaptureCode, SourceCode, InnerCode, ViewerCode]

REMEDIES: Final[Mapping[str, str]] = {
    "stopped": "`framebus ctl start` starts it",
    "lent": "`framebus ctl start` takes the camera back",
    "idle": "whoever looks at it wakes it: a viewer, or `framebus snapshot`",
    "frozen": "`framebus ctl restart`, then `framebus ctl reset --rung usb-reset`; "
    "if its picture really never changes: --frozen-after 0",
    "bug": "please report it",
}
"""What to do about those causes that have one remedy, whatever the source."""


def one_line(text: str) -> str:
    """Return `text` as one printable line: servers, drivers and children may say anything, and a
    line feed in a log or in systemd's STATUS= would let them speak in our name.
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@dataclass(frozen=True, slots=True)
class Cause:
    """Why there are no frames: `code` for programs, `message` and `remedy` for people."""

    code: Code
    message: str
    remedy: str = ""
    """What to do about it; where it is left out, that of `REMEDIES`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", one_line(self.message))
        remedy = one_line(self.remedy) or REMEDIES.get(self.code, "")
        object.__setattr__(self, "remedy", remedy)

    @classmethod
    def told(cls, document: Mapping[str, object]) -> Self:
        """Return the cause of a status document; a newer daemon's code may be one unknown here."""
        code = cast(Code, str(document.get("code", "unknown")))
        message = str(document.get("message", "the daemon gives no reason"))
        return cls(code, message, str(document.get("remedy") or ""))

    def document(self) -> dict[str, str]:
        """Return it as the status document has it."""
        return asdict(self)
