"""Addresses by which clients of other camera servers ask, and what each means here. Pure.

Some are of programs that ask for nothing else, some of people who type what their last server had:

    mjpg-streamer     /?action=stream_0 (plugins/output_http/httpd.c: the number is of an input)
    camera-streamer   /?action=stream, /video
    IP Webcam         /video, /shot.jpg
    ESP32 cameras     /capture
    picamera2, Blue Iris, ZoneMinder and people    /stream.mjpg, /snapshot.jpg
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

FILES: Final[Mapping[str, str]] = {
    "stream.mjpg": "stream",
    "stream.mjpeg": "stream",
    "snapshot.jpg": "snapshot",
    "snapshot.jpeg": "snapshot",
}
"""Of each camera, and of the default one: for programs that go by the ending of a name."""
DEFAULT_CAMERA_ONLY: Final[Mapping[str, str]] = {
    "video": "stream",
    "video.mjpg": "stream",
    "cam.mjpg": "stream",
    "cam.jpg": "snapshot",
    "shot.jpg": "snapshot",
    "capture": "snapshot",
}
"""Of other servers, which have one camera."""
ACTIONS: Final = ("stream", "snapshot")
"""What `/?action=` may be."""
_ACTION = re.compile(r"([a-z]+)(?:_(\d{1,3}))?(?:[?&/].*)?", re.IGNORECASE)
_NOT_HERE: Final[Mapping[str, str]] = {
    "command": "POST /cameras/NAME/control, or `framebus ctl`, adjusts a camera",
    "take": "no picture is kept here: /?action=snapshot gives one to whoever keeps it",
}
"""mjpg-streamer's other actions, and what to do instead."""
_OTHER: Final = (
    (re.compile(r"/(webrtc|webrtc\.html|ws|whep)"), "there is no WebRTC here"),
    (re.compile(r"/video\.(mp4|mkv|m3u8|h264)|/stream\.(mp4|m3u8|html)"), "there is no video here"),
    (re.compile(r"/((input|output)(_\d+)?|program|clients)\.json|/status"), "that is /state here"),
)
"""What other servers have and framebus has not, or by another name."""
ADDRESSES: Final = {
    "page": "",
    "stream": "stream",
    "snapshot": "snapshot",
    "state": "state",
    "cameras": "cameras",
}
"""What whoever asks for anything else is told of; below `/`."""


class UnknownAction(Exception):
    """An `/?action=` that there is not; its text says what there is."""


def action(query: Mapping[str, str]) -> tuple[str, int] | None:
    """Return which of ACTIONS is asked for and of which camera by number; None for no action.

    Raises UnknownAction.
    """
    asked = next((value for key, value in query.items() if key.lower() == "action"), None)
    if asked is None:
        return None
    match = _ACTION.fullmatch(asked)
    word = match[1].lower() if match else ""
    if match is None or word not in ACTIONS:
        instead = _NOT_HERE.get(word, "/?action=stream and /?action=snapshot are there")
        raise UnknownAction(f"there is no action {asked[:40]!r}: {instead}")
    return word, int(match[2] or 0)


def numbered(cameras: Sequence[str], number: int) -> str:
    """Return the camera with that number, the default one first; raises UnknownAction."""
    if number < len(cameras):
        return cameras[number]
    there = ", ".join(f"{at} ({camera})" for at, camera in enumerate(cameras))
    raise UnknownAction(f"there is no camera with the number {number}: there are {there}")


def not_found(path: str) -> tuple[str, str]:
    """Return what to tell whoever asks for a path that there is not: what is wrong, what to do."""
    why = next((why for pattern, why in _OTHER if pattern.fullmatch(path)), None)
    return (
        f"there is nothing at {path[:80]!r}" + (f": {why}" if why else ""),
        "frames are at /stream, the newest one at /snapshot, the state at /state, the page at /; "
        "of each camera too, as in /cameras/NAME/stream",
    )
