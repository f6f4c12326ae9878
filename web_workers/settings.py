"""What the web tier is configured with, read once from the environment.

`framebus web` turns its options into these variables, so that gunicorn's master and workers, which
it becomes, see the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from framebus.errors import FramebusError
from framebus.names import (
    DEFAULT_CAMERA,
    CameraNames,
    cameras,
    check_runtime_dir,
    runtime_dir,
    state_dir,
)
from framebus.options.chosen import Chosen
from framebus.options.option import Scope
from framebus.options.table import CAMERAS, NAME
from framebus.serving.access import Access, choose
from framebus.serving.address import listening
from framebus.trusted_files import owner_of
from werkzeug.exceptions import NotFound

OPEN = Access(view="open", control="off", hosts=frozenset({"localhost"}))
"""What holds on the loopback unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where cameras are looked for, which one the short routes mean, and who is let in."""

    runtime: Path
    default_camera: str = DEFAULT_CAMERA
    configured: tuple[str, ...] = ()
    """Cameras that there are to be, in the configuration's order, whether a daemon ran or not."""
    access: Access = OPEN
    state: Path = field(default_factory=state_dir)
    """Where the token is."""
    options: Chosen = field(default_factory=Chosen)
    """All the rest; every value in it is sound."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read them; raises UsageError."""
        options = Chosen.from_environ(environ)
        options.check(Scope.WEB)
        return cls(
            runtime=check_runtime_dir(runtime_dir(environ)),
            default_camera=options[NAME] or DEFAULT_CAMERA,
            configured=options[CAMERAS],
            access=choose(options, listening(options, any_port=True)),
            state=state_dir(environ),
            options=options,
        )


class UnknownCamera(NotFound):
    """A camera that nobody has heard of; the answer names those that exist."""

    def __init__(self, camera: str) -> None:
        super().__init__()
        self.camera = camera


class Cameras:
    """Which cameras there are. Remembers those it saw, should RUNTIME be emptied. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.default = settings.default_camera
        """The camera that routes without a name mean."""
        self._first = tuple(dict.fromkeys((settings.default_camera, *settings.configured)))
        self._seen: frozenset[str] = frozenset(self._first)

    def known(self) -> list[str]:
        """Return the cameras with a daemon, or that had one, or are to have one; sorted.

        In a runtime directory that is not trusted nobody says what there is.
        """
        runtime = self._settings.runtime
        with suppress(FramebusError):
            owner_of(runtime)
            self._seen |= frozenset(cameras(runtime))
        return sorted(self._seen)

    def in_order(self) -> list[str]:
        """Return the same: the default one, those of the configuration, then all others, sorted."""
        known = self.known()
        return [*self._first, *(camera for camera in known if camera not in self._first)]

    def knows(self, camera: str) -> bool:
        """Whether a camera is known; one that was seen is, without another look."""
        return camera in self._seen or camera in self.known()

    def existing(self, camera: str) -> CameraNames:
        """Return the names of a camera that is known; raises UnknownCamera."""
        if not self.knows(camera):
            raise UnknownCamera(camera)
        return self.names(camera)

    def names(self, camera: str) -> CameraNames:
        """Return the names of one camera's files and sockets; raises BadCameraName."""
        return CameraNames(self._settings.runtime, camera)
