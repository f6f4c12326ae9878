"""What the web tier is configured with, read once from the environment.

`framebus web` turns its options into these variables, so that gunicorn's master and workers, which
it becomes, see the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from framebus.names import DEFAULT_CAMERA, CameraNames, cameras, check_camera_name, runtime_dir

BIND = "FRAMEBUS_BIND"
WORKERS = "FRAMEBUS_WORKERS"
NAME = "FRAMEBUS_NAME"
DEFAULT_BIND = "127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where cameras are looked for, and which one the short routes mean."""

    runtime: Path
    default_camera: str = DEFAULT_CAMERA

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read them; raises BadCameraName."""
        return cls(
            runtime=runtime_dir(environ),
            default_camera=check_camera_name(environ.get(NAME) or DEFAULT_CAMERA),
        )


class Cameras:
    """Which cameras there are. Remembers those it saw, should RUNTIME be emptied. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: frozenset[str] = frozenset({settings.default_camera})

    @property
    def default(self) -> str:
        """The camera that routes without a name mean."""
        return self._settings.default_camera

    def known(self) -> list[str]:
        """Return the cameras with a daemon, or that had one, and the default one; sorted."""
        self._seen |= frozenset(cameras(self._settings.runtime))
        return sorted(self._seen)

    def names(self, camera: str) -> CameraNames:
        """Return the names of one camera's files and sockets; raises BadCameraName."""
        return CameraNames(self._settings.runtime, camera)


def default_workers() -> int:
    """Return how many workers serve when nobody says: one a core, two at most."""
    return min(2, os.cpu_count() or 1)
