"""From the name that a person gives to a node: resolve, rdev; and which camera `auto` takes.

Only `choose` and `offers_of` open devices.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterable

from framebus.errors import OutOfResources

from capture_daemon.sources.base import SourceError, SourceUnusable
from capture_daemon.v4l2 import query
from capture_daemon.v4l2.cameras import Camera, CameraPaths, cameras
from capture_daemon.v4l2.formats import COMPRESSED, ENCODABLE, OfferedFormat
from capture_daemon.v4l2.handle import Handle
from capture_daemon.v4l2.ops import DeviceOps, KernelOps

USB_NAME = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::(.+))?")
_log = logging.getLogger(__name__)


def resolve(device: str, paths: CameraPaths | None = None) -> str:
    """Return the node that a name means: a path, a link's name, or usb:VID:PID[:SERIAL].

    Raises SourceError when no such camera is there now, SourceUnusable when the name fits several.
    """
    if device.startswith("/") and os.path.exists(device):
        return os.path.realpath(device)
    present = [camera for camera in _present(paths) if camera.captures]
    if usb := USB_NAME.fullmatch(device):
        vendor, product, serial = usb[1].lower(), usb[2].lower(), usb[3]
        fitting = [
            camera
            for camera in present
            if (camera.vendor, camera.product) == (vendor, product)
            and serial in (None, camera.serial)
        ]
    else:
        fitting = [camera for camera in present if device in camera.file_names()]
    if not fitting:
        raise _absent(device, present)
    if len({camera.port for camera in fitting}) > 1:
        raise SourceUnusable(
            "ambiguous-device",
            f"{device} fits {_list(fitting)}",
            remedy="add the serial number, or name one by its /dev/v4l/by-path link",
        )
    return fitting[0].node


def rdev(device: str, paths: CameraPaths | None = None) -> int:
    """Return the device number that a name means now, as for names.device_lock.

    Raises SourceError when it is not there.
    """
    node = resolve(device, paths)
    try:
        return os.stat(node).st_rdev
    except OSError as error:
        raise _absent(device, _present(paths)) from error


def stable_name(rdev: int) -> str:
    """Return the name that the camera with this device number keeps. Raises SourceError."""
    camera = camera_of(rdev)
    if camera is None:
        raise SourceError("device-absent", "the camera with this device number is gone")
    return camera.stable


def camera_of(rdev: int, paths: CameraPaths | None = None) -> Camera | None:
    """Return the camera with this device number, None if it is not there. Raises SourceError."""
    for camera in _present(paths):
        with contextlib.suppress(OSError):
            if os.stat(camera.node).st_rdev == rdev:
                return camera
    return None


def offers_of(device: str, ops: DeviceOps | None = None) -> list[OfferedFormat]:
    """Open the node `device`, list what it offers, close it. Raises SourceError.

    A camera that streams elsewhere answers too.
    """
    handle = Handle.open(KernelOps() if ops is None else ops, device)
    try:
        query.identify(handle)
        return query.formats(handle)
    finally:
        handle.close()


def choose(present: Iterable[Camera] | None = None, *, ops: DeviceOps | None = None) -> str | None:
    """Return the first camera with MJPEG, else the first that can be encoded, else None.

    It is named as it stays named when it comes back under another number. Cameras that cannot be
    asked are passed over, with a warning in the log that says why.
    """
    encodable = None
    for camera in _present(None) if present is None else present:
        if not camera.captures:
            continue
        try:
            offered = {offer.fourcc for offer in offers_of(camera.node, ops)}
        except SourceError as error:
            _log.warning("%s is passed over: %s; %s", camera.node, error.message, error.remedy)
            continue
        if offered.intersection(COMPRESSED):
            return camera.stable
        if encodable is None and offered.intersection(ENCODABLE):
            encodable = camera.stable
    return encodable


def _present(paths: CameraPaths | None) -> list[Camera]:
    try:
        return cameras(paths)
    except OutOfResources as error:
        raise SourceError("no-descriptors", str(error)) from error


def _absent(device: str, nodes: Iterable[Camera]) -> SourceError:
    present = [camera for camera in nodes if camera.captures]
    return SourceError(
        "device-absent",
        f"there is no camera {device} now; "
        + (f"there is {_list(present)}" if present else "there is none at all"),
        remedy="plug the camera in, or name one that is there (`framebus devices`)",
    )


def _list(present: list[Camera]) -> str:
    return ", ".join(f"{camera.stable} ({camera.name}, {camera.node})" for camera in present)
