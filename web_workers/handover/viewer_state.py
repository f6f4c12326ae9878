"""What a viewer takes along from one worker to another, as the document that goes with its socket.

A message is JSON, filled up with spaces to `SIZE` bytes, so that the kernel's count of bytes in a
channel is a count of viewers. `v` is the version: a worker of other code may be at the other end.
Keys that are not known are ignored. All times are CLOCK_MONOTONIC, which all processes share. Pure.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from framebus.errors import BadCameraName
from framebus.names import check_camera_name

from web_workers.admission.origin import LOCAL
from web_workers.wire.multipart import Style

VERSION = 1
SIZE = 704
"""Bytes of a message: with the kernel's own part of it exactly a kilobyte."""
REST_MAX = 1 << 28
"""Bytes that may be left of a part: more than any ring's largest frame."""


class Unreadable(Exception):
    """A message that is none."""


class OtherVersion(Unreadable):
    """A message of a version that this code does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerState:
    """A viewer on its way, but for its socket and the rest of its part."""

    camera: str | None
    """None: the states of all cameras."""
    states: bool
    """Whether it views states, not frames."""
    peer: str
    joined_ns: int
    moved_ns: int
    """When it last took a byte of the part under way."""
    bytes_sent: int
    """Sent to it so far."""
    unwanted: int
    """Bytes that it has said after its request."""
    origin: str = LOCAL
    """What counts as its address (admission/origin.py)."""
    rate: int = 0
    """Bytes a second that are counted for it."""
    rest: int = 0
    """Bytes that are left of the part under way; they are in a file that goes along."""
    style: str = Style.PLAIN.value
    fps: float | None = None
    """At most so many frames a second; None for all."""
    due_ns: int = 0
    """When the next of those is due."""
    dual_final: bool = False
    sent: int = 0
    skipped: int = 0
    waiting: int = 0
    """1 if the newest frame is neither sent nor skipped. `sent`, `skipped` and this are together
    what was published from its joining until `sequence`."""
    lineage: int = 0
    """Of the ring in which `sequence` counts (framebus.ring); 0: it has seen no frame."""
    sequence: int = 0
    captured_ns: int = 0
    """Of the newest frame that it was sent; 0: none."""
    measured_fps: float | None = None
    marked_ns: int = 0
    marked_sent: int = 0

    def encoded(self) -> bytes:
        """Return the message. Raises ValueError when it is too long."""
        text = json.dumps({"v": VERSION, **asdict(self)}, separators=(",", ":")).encode()
        if len(text) > SIZE:
            raise ValueError(f"{len(text)} bytes, and a message has {SIZE}")
        return text.ljust(SIZE)


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "bool": (bool,),
    "int": (int,),
    "float | None": (float, int, type(None)),
}


def decoded(data: bytes) -> ViewerState:
    """Return what a message says. Raises Unreadable, or OtherVersion."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no document: {error}") from error
    if not isinstance(document, dict):
        raise Unreadable("no document: not an object")
    version = document.get("v")
    if type(version) is not int or version != VERSION:
        raise OtherVersion(f"version {version!r:.20}, this is {VERSION}")
    found = {
        each.name: _checked(each.name, str(each.type), document) for each in fields(ViewerState)
    }
    if found["style"] not in {style.value for style in Style}:
        raise Unreadable(f"style {found['style']!r:.20}")
    if found["rest"] > REST_MAX or not _is_camera(found["camera"], states=found["states"]):
        raise Unreadable("its rest is too long, or it views nothing")
    return ViewerState(**found)


def _checked(name: str, kind: str, document: dict[str, Any]) -> Any:
    value = document.get(name)
    kinds = _KINDS[kind]
    if name not in document or type(value) not in kinds:
        raise Unreadable(f"{name} is {value!r:.20}")
    if isinstance(value, int | float) and not 0 <= value < 1 << 64:  # nor nan
        raise Unreadable(f"{name} is {value!r:.20}")
    if name == "fps" and value == 0:
        raise Unreadable("fps is 0")
    return value


def _is_camera(name: str | None, *, states: bool) -> bool:
    try:
        return states if name is None else bool(check_camera_name(name))
    except BadCameraName:
        return False
