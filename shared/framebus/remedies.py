"""Commands in messages, as a person must give them where several cameras run. Pure."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"(framebus ctl [a-z_]+\b)(?![^`;,]*--name)")


def for_camera(text: str, camera: str) -> str:
    """Return a message with the camera's name in each `framebus ctl` command of it."""
    return _COMMAND.sub(rf"\1 --name {camera}", text)
