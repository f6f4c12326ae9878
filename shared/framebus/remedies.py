"""Commands in messages, as a person must give them where several cameras run. Pure."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"(framebus ctl [a-z_]+\b)(?![^`;,]*--name)")


def for_camera(text: str, camera: str | None) -> str:
    """Return a message with the camera's name, if one is needed, in each `framebus ctl` of it."""
    return text if camera is None else _COMMAND.sub(rf"\1 --name {camera}", text)
