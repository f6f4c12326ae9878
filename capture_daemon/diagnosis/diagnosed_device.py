"""Which device a camera's diagnosis is about: its number and its USB port. Opens nothing.

The device that this process has open comes first, since a name may lead elsewhere by now.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from capture_daemon.diagnosis.records import DiagnosedDevice
from capture_daemon.settings.spec import SourceSpec
from capture_daemon.sources.base import SourceError
from capture_daemon.v4l2 import discovery
from capture_daemon.v4l2.cameras import CameraPaths

_VIDEO_MAJOR = 81  # Documentation/admin-guide/devices.txt


def own(
    paths: CameraPaths | None = None, proc: Path = Path("/proc/self/fd"), *, apart_from: int = 0
) -> DiagnosedDevice | None:
    """Return the video device that this process has open, None if it has none.

    The one with the number `apart_from`, the fallback's, does not count.
    """
    for name in os.listdir(proc):
        try:
            found = (proc / name).stat()
        except OSError:
            continue
        is_video = stat.S_ISCHR(found.st_mode) and os.major(found.st_rdev) == _VIDEO_MAJOR
        if is_video and found.st_rdev != apart_from:
            return _by_number(found.st_rdev, paths)
    return None


def named(spec: SourceSpec | None, paths: CameraPaths | None = None) -> DiagnosedDevice | None:
    """Return the device that a source names, None if it names none, or that is not there now."""
    if spec is None or spec.kind != "v4l2":
        return None
    try:
        return _by_number(discovery.rdev(spec.argument, paths), paths)
    except SourceError:
        return None


def _by_number(rdev: int, paths: CameraPaths | None) -> DiagnosedDevice:
    camera = discovery.camera_of(rdev, paths)
    if camera is None:
        return DiagnosedDevice("", rdev, "")
    return DiagnosedDevice(camera.node, rdev, camera.port)
