"""From flags, variables and file to frozen settings: the camera, and what to capture of it.

What else a daemon can be told is read from `Settings.options` where it is used.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass

from framebus.errors import UsageError
from framebus.invocation.ending import tell
from framebus.names import DEFAULT_CAMERA, check_camera_name
from framebus.options.chosen import Chosen
from framebus.options.file import File
from framebus.options.option import Scope
from framebus.options.table import CAMERAS, CONFIG, FALLBACK_SOURCE, FPS, NAME, SIZE, SOURCE, TABLE
from framebus.spelling import nearest

from capture_daemon.settings import spec
from capture_daemon.settings.capture_request import CaptureRequest
from capture_daemon.settings.spec import SourceSpec
from capture_daemon.sources.base import Request
from capture_daemon.sources.redact import HIDDEN

NO_FALLBACK = FALLBACK_SOURCE.default
"""What `--fallback-source` says where a file's is not wanted."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one daemon was asked to do; never changed."""

    name: str
    request: CaptureRequest
    fallback: SourceSpec | None
    """What is shown while the camera is given up; None: nothing."""
    options: Chosen
    """All the rest, for this camera; every value in it is sound."""

    def cameras(self, environ: Mapping[str, str]) -> int:
        """Return how many cameras there are to be: `framebus up` tells, or else the file does."""
        listed = Chosen.from_environ(environ)[CAMERAS] or self.options.file.cameras
        return len({*listed, self.name})


def prepared(chosen: Chosen) -> Settings:
    """Return the settings of a daemon that starts; its children get no secret in the environment.

    Tells when all users may read a file with a source that has secrets. Raises UsageError.
    """
    for option in TABLE:
        if option.secret:
            os.environ.pop(option.variable, None)
    resolved = settings(chosen)
    options = resolved.options
    told = ((SOURCE, resolved.request.spec), (FALLBACK_SOURCE, resolved.fallback))
    secret = any(spec and HIDDEN in spec.text and options.is_filed(each) for each, spec in told)
    config = options[CONFIG]
    if secret and config is not None and config.stat().st_mode & stat.S_IROTH:
        tell(
            f"framebus capture: {config} may have a camera's password in it, and everybody can "
            f"read it: chmod o-r {config}"
        )
    return resolved


def settings(chosen: Chosen) -> Settings:
    """Resolve the command's options. Raises UsageError, which says where a wrong one stands."""
    name = _name(chosen)
    options = chosen.of_camera(name)
    if not options.is_given(SOURCE) and not options.is_filed(SOURCE):
        _check_meant(name, chosen.file)
    options.check(Scope.CAPTURE)
    with options.naming(SOURCE):
        source = spec.parse(options[SOURCE])
    with options.naming(FALLBACK_SOURCE):
        fallback = parse_fallback(options[FALLBACK_SOURCE])
        check_fallback(fallback, source)
    width, height = options[SIZE] or (None, None)
    wanted = Request(width, height, options[FPS])
    request = CaptureRequest(source, wanted, options)
    return Settings(name, request, fallback, options)


def parse_fallback(text: str | None) -> SourceSpec | None:
    """Return what a `--fallback-source` text means, None if there is to be none.

    Raises UsageError.
    """
    if text is None or text.strip() == NO_FALLBACK:
        return None
    fallback = spec.parse(text)
    if fallback.kind == "auto":
        raise UsageError("a fallback is a source of its own: write test, or say which camera")
    return fallback


def check_fallback(fallback: SourceSpec | None, source: SourceSpec) -> None:
    """Raise UsageError if the fallback of `source` is nothing else than that."""
    if fallback and (fallback.kind, fallback.argument) == (source.kind, source.argument):
        raise UsageError("a source cannot be its own fallback: name another source")


def _name(chosen: Chosen) -> str:
    """Return the camera's name; a file that speaks of one camera only need not be told which."""
    if chosen.is_given(NAME):
        return str(chosen[NAME])
    cameras = chosen.file.cameras
    if len(cameras) > 1 and NAME.name not in chosen.file.common:
        raise UsageError(
            f"the configuration has several cameras: say which with {NAME.flag} "
            f"({', '.join(cameras)})"
        )
    return check_camera_name(chosen.file.default_camera or DEFAULT_CAMERA)


def _check_meant(name: str, file: File) -> None:
    """Raise UsageError for a name that a file of cameras lacks: `auto` would take another's."""
    known = {*file.cameras, *file.tables} if file.tables or "cameras" in file.common else {name}
    if name not in known:
        raise UsageError(
            f"the configuration has no camera {name!r}{nearest(name, known)} "
            f"(else write a table [camera.{name}], or give its --source)"
        )
